//! Counts sign-ins and denials for the console's chart. An isolate collects counts in memory and sends them to the
//! console's object a few seconds after the first, so no answer waits for them.

use super::calls::ConsoleObject;
use crate::console::Count;
use crate::edge::runtime::{platform, run_to_end};
use crate::log::{LogLine, Outcome};
use crate::time::Timestamp;
use std::cell::RefCell;
use std::time::Duration;
use worker::{Context, Delay, Env};

/// How long counts are collected before they are sent with one object request.
const SEND_DELAY: Duration = Duration::from_secs(5);
/// Counts that were not sent after this many seconds are sent by the next request: the platform may cancel a pending
/// send.
const SEND_TIMEOUT_SECONDS: u64 = 60;

thread_local! {
    static COLLECTED: RefCell<Collected> = const { RefCell::new(Collected { counts: Vec::new(), pending_since: None }) };
}

struct Collected {
    counts: Vec<Count>,
    /// When the pending send was scheduled.
    pending_since: Option<Timestamp>,
}

/// Counts the decision in `line` if it is about a sign-in.
pub(crate) fn count(line: &LogLine<'_>, env: &Env, worker: &Context) {
    if line.event != "sso" || line.outcome == Outcome::Deferred {
        return;
    }
    let now = platform::now();
    add(vec![Count { day: now.day(), outcome: line.outcome, reason: line.reason.to_owned(), count: 1 }]);
    let is_due = COLLECTED.with_borrow_mut(|collected| {
        let is_due = collected.pending_since.is_none_or(|since| now.since(since) > SEND_TIMEOUT_SECONDS);
        if is_due {
            collected.pending_since = Some(now);
        }
        is_due
    });
    if is_due {
        let (env, request_id) = (env.clone(), line.request_id.to_owned());
        run_to_end(worker, async move {
            Delay::from(SEND_DELAY).await;
            let counts = COLLECTED.with_borrow_mut(|collected| {
                collected.pending_since = None;
                std::mem::take(&mut collected.counts)
            });
            if let Err(fault) = ConsoleObject(&env).count(counts.clone()).await {
                worker::console_error!("{}", fault.log_line("tally", &request_id));
                add(counts);
            }
        });
    }
}

fn add(counts: Vec<Count>) {
    COLLECTED.with_borrow_mut(|collected| {
        for added in counts {
            let is_same = |known: &&mut Count| {
                (known.day, known.outcome, &known.reason) == (added.day, added.outcome, &added.reason)
            };
            match collected.counts.iter_mut().find(is_same) {
                Some(known) => known.count = known.count.saturating_add(added.count),
                None => collected.counts.push(added),
            }
        }
    });
}
