//! Counts sign-ins and denials for the console's chart. An isolate collects counts in memory and sends them to the
//! console's object a few seconds after the first, so no answer waits for them.

use super::calls::ConsoleObject;
use crate::console::Count;
use crate::edge::runtime::platform;
use crate::log::{LogLine, Outcome};
use crate::time::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Context, Delay, Env};

/// How long counts are collected before they are sent with one object request.
const SEND_DELAY: Duration = Duration::from_secs(5);
/// Counts that were not sent after this many seconds are sent by the next request: the platform may cancel a pending
/// send.
const SEND_TIMEOUT_SECONDS: u64 = 60;

type Key = (u64, Outcome, &'static str);

thread_local! {
    static COLLECTED: RefCell<Collected> = const { RefCell::new(Collected { counts: BTreeMap::new(), pending_since: None }) };
}

struct Collected {
    counts: BTreeMap<Key, u64>,
    /// When the pending send was scheduled.
    pending_since: Option<Timestamp>,
}

/// Counts the decision in `line` if it is about a sign-in.
pub(crate) fn count(line: &LogLine<'_>, env: &Env, worker: &Context) {
    if line.event != "sso" || line.outcome == Outcome::Deferred {
        return;
    }
    let now = platform::now();
    add([((now.day(), line.outcome, line.reason), 1)]);
    let is_due = COLLECTED.with_borrow_mut(|collected| {
        let is_due = collected.pending_since.is_none_or(|since| now.since(since) > SEND_TIMEOUT_SECONDS);
        if is_due {
            collected.pending_since = Some(now);
        }
        is_due
    });
    if is_due {
        let (env, request_id) = (env.clone(), line.request_id.to_owned());
        worker.wait_until(async move {
            Delay::from(SEND_DELAY).await;
            let counts = COLLECTED.with_borrow_mut(|collected| {
                collected.pending_since = None;
                std::mem::take(&mut collected.counts)
            });
            if let Err(fault) = ConsoleObject(&env).count(counts.iter().map(to_count).collect()).await {
                worker::console_error!("{}", fault.log_line("tally", &request_id));
                add(counts);
            }
        });
    }
}

fn add(counts: impl IntoIterator<Item = (Key, u64)>) {
    COLLECTED.with_borrow_mut(|collected| {
        for (key, count) in counts {
            let sum = collected.counts.entry(key).or_default();
            *sum = sum.saturating_add(count);
        }
    });
}

fn to_count((&(day, outcome, reason), &count): (&Key, &u64)) -> Count {
    Count { day, outcome, reason: reason.to_owned(), count }
}
