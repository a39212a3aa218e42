//! Records decisions: a line in the log, and a data point if the binding `ANALYTICS` exists.

use super::{Fault, platform};
use crate::log::LogLine;
use std::cell::OnceCell;
use worker::Env;
use worker::wasm_bindgen::JsValue;

/// The binding's name in wrangler.toml.
const ANALYTICS: &str = "ANALYTICS";

thread_local! {
    /// Whether the binding exists. A changed binding is a new isolate.
    static IS_ENABLED: OnceCell<bool> = const { OnceCell::new() };
}

/// Records a decision that took `milliseconds`. With a fault, the log line also contains the operation and the error.
pub(crate) fn record(line: &LogLine<'_>, fault: Option<&Fault>, milliseconds: u64, env: &Env) {
    match fault {
        Some(fault) => worker::console_error!("{}", fault.to_json(line)),
        None => worker::console_log!("{}", line.to_json()),
    }
    if let Err(error) = write_data_point(line, milliseconds, env) {
        let fault = Fault::Storage("data point", platform::error_text(&error));
        worker::console_error!("{}", fault.log_line(line.event, line.request_id));
    }
}

/// Whether data points are written.
pub(crate) fn is_bound(env: &Env) -> bool {
    platform::is_bound(env, "ANALYTICS.writeDataPoint")
}

/// The columns: `index1` is the event; `blob1` to `blob4` are event, outcome, reason and `client_id`; `double1` is the
/// duration in milliseconds. The data point contains no user.
#[expect(clippy::cast_precision_loss, reason = "a request takes less than 2^52 milliseconds")]
fn write_data_point(line: &LogLine<'_>, milliseconds: u64, env: &Env) -> Result<(), JsValue> {
    if !IS_ENABLED.with(|cell| *cell.get_or_init(|| is_bound(env))) {
        return Ok(());
    }
    let client_id = line.client_id.map_or("", |id| id.as_str());
    let (event, outcome) = (line.event, line.outcome.as_str());
    platform::write_data_point(env, ANALYTICS, event, outcome, line.reason, client_id, milliseconds as f64)
}
