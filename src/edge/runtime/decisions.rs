//! Records decisions: a line in the log, and a data point if the binding `ANALYTICS` exists.

use super::Fault;
use crate::log::LogLine;
use worker::{AnalyticsEngineDataPointBuilder, Env};

/// The binding's name in wrangler.toml.
pub(crate) const ANALYTICS: &str = "ANALYTICS";

/// Records a decision that took `milliseconds`. With a fault, the log line also contains the operation and the error.
pub(crate) fn record(line: &LogLine<'_>, fault: Option<&Fault>, milliseconds: u64, env: &Env) {
    match fault {
        Some(fault) => worker::console_error!("{}", fault.to_json(line)),
        None => worker::console_log!("{}", line.to_json()),
    }
    if let Err(error) = write_data_point(line, milliseconds, env) {
        worker::console_error!("{}", Fault::storage("data point")(error).log_line(line.event, line.request_id));
    }
}

/// The columns: `index1` is the event; `blob1` to `blob4` are event, outcome, reason and `client_id`; `double1` is the
/// duration in milliseconds. The data point contains no user.
#[expect(clippy::cast_precision_loss, reason = "a request takes less than 2^52 milliseconds")]
fn write_data_point(line: &LogLine<'_>, milliseconds: u64, env: &Env) -> worker::Result<()> {
    let Ok(dataset) = env.analytics_engine(ANALYTICS) else { return Ok(()) };
    let client_id = line.client_id.map_or("", |id| id.as_str());
    let point = AnalyticsEngineDataPointBuilder::new()
        .indexes([line.event])
        .blobs([line.event, line.outcome.as_str(), line.reason, client_id])
        .doubles([milliseconds as f64])
        .build();
    dataset.write_data_point(&point)
}
