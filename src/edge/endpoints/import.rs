//! `POST /admin/v1/import`.

use crate::edge::runtime::platform::{self, Answer, Chunks, ClientGone, Sink};
use crate::edge::runtime::{Error, Fault, RequestContext, decisions, run_to_end};
use crate::edge::storage::imports;
use crate::http::{ErrorCode, Failure, Method, Response};
use crate::import::{Batches, Counts, Item, LIST_BYTES_MAX, Lines, PROGRESS_LINES, Report, WhmcsList};
use crate::log::{LogLine, Outcome};
use serde_json::value::to_raw_value;
use worker::web_sys;

const UNSUPPORTED: Failure =
    Failure::of(415, ErrorCode::UnsupportedMediaType, "The body is neither application/x-ndjson nor application/json.");

/// The entries to import.
enum Source {
    /// A body of lines, read while the import runs.
    Lines(Chunks),
    /// A list, read before the import starts.
    List(WhmcsList),
}

/// Serves an authenticated administrator:
/// 1. open the lines, or read and parse the list,
/// 2. start the answer, which reports the progress while the import runs.
pub(crate) async fn serve(incoming: &web_sys::Request, context: &RequestContext) -> Result<Answer, Error> {
    if context.request.method != Method::Post {
        return Err(Failure::method_not_allowed("POST").into());
    }
    // 1.
    let source = match context.request.content_type().as_deref() {
        Some("application/x-ndjson") => {
            let unreadable = |_| Failure::bad_request("The request body could not be read.");
            Source::Lines(Chunks::of(incoming, &context.request).map_err(unreadable)?)
        }
        Some("application/json") => {
            let body = platform::read_body(incoming, &context.request, LIST_BYTES_MAX).await?;
            Source::List(WhmcsList::parse(&body)?)
        }
        _ => return Err(UNSUPPORTED.into()),
    };
    // 2.
    let (sink, answer) = Sink::new()?;
    let import = Import { context: context.clone(), sink, counts: Counts::default(), start: platform::milliseconds() };
    run_to_end(&context.worker, import.run(source));
    Ok(Answer::Streamed(Response::empty(200).with("Content-Type", "application/x-ndjson"), answer))
}

struct Import {
    context: RequestContext,
    sink: Sink,
    counts: Counts,
    /// The start, in milliseconds since the Unix epoch.
    start: u64,
}

/// Why an import stops before the last line.
enum End {
    /// Storage failed at this line.
    Fault(u64, Fault),
    /// The body ended early in this line.
    Body(u64),
    /// The client closed the connection.
    ClientGone,
}

impl From<ClientGone> for End {
    fn from(_: ClientGone) -> Self {
        Self::ClientGone
    }
}

impl Import {
    async fn run(mut self, source: Source) {
        let end = match source {
            Source::Lines(chunks) => self.import_lines(chunks).await,
            Source::List(list) => self.import_items(list.items()).await,
        };
        self.record(&end);
        let last = match &end {
            Ok(()) => Report::Done(self.counts),
            Err(End::Fault(line, fault)) => Report::Stopped { line: *line, reason: fault.failure().description },
            Err(End::Body(line)) => Report::Stopped { line: *line, reason: "The body broke off.".into() },
            Err(End::ClientGone) => return,
        };
        // A client that closed the connection does not need the last line.
        if self.sink.write(&last.to_line()).await.is_ok() {
            let _ = self.sink.close().await;
        }
    }

    async fn import_lines(&mut self, mut chunks: Chunks) -> Result<(), End> {
        let mut lines = Lines::default();
        while let Some(chunk) = chunks.next().await.map_err(|_| End::Body(lines.current()))? {
            self.import_items(lines.push(&chunk).iter().map(Item::parse)).await?;
        }
        self.import_items(lines.finish().iter().map(Item::parse)).await
    }

    async fn import_items(&mut self, items: impl Iterator<Item = Item>) -> Result<(), End> {
        for batch in Batches::of(items) {
            self.import_batch(batch).await?;
        }
        Ok(())
    }

    /// Writes the lines of a batch, and reports their results.
    async fn import_batch(&mut self, batch: Vec<Item>) -> Result<(), End> {
        let mut text = String::new();
        let mut stopped = Ok(());
        for written in imports::write_batch(&self.context, batch).await {
            let outcome = match written.outcome {
                Ok(outcome) => outcome,
                Err(fault) => {
                    stopped = Err(End::Fault(written.line, fault));
                    break;
                }
            };
            self.counts.line = written.line;
            if let Some(outcome) = outcome {
                self.counts.count(&outcome);
                if let Err(reason) = outcome {
                    text.push_str(&Report::Refused { line: written.line, reason }.to_line());
                }
            }
            if written.line.is_multiple_of(PROGRESS_LINES) {
                text.push_str(&Report::Progress(self.counts).to_line());
            }
        }
        if !text.is_empty() {
            self.sink.write(&text).await?;
        }
        stopped
    }

    fn record(&self, end: &Result<(), End>) {
        let (outcome, reason, fault) = match end {
            Ok(()) => (Outcome::Granted, "ok", None),
            Err(End::Fault(_, fault)) => (Outcome::Failed, fault.reason(), Some(fault)),
            Err(End::Body(_)) => (Outcome::Denied, "body_broken", None),
            Err(End::ClientGone) => (Outcome::Denied, "answer_unread", None),
        };
        let line = LogLine {
            lines: to_raw_value(&self.counts).ok(),
            ..LogLine::new("import", outcome, reason, &self.context.audit.request_id)
        };
        decisions::record(&line, fault, platform::milliseconds().saturating_sub(self.start), &self.context.env);
    }
}
