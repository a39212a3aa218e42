//! The counters of sign-ins and denials for the console's chart. They cost a response nothing: an isolate keeps its counts in
//! memory, and sends them to the console's object a few seconds after the first of them.

use super::calls::ConsoleObject;
use crate::console::Count;
use crate::edge::runtime::platform;
use crate::log::{LogLine, Outcome};
use crate::time::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Context, Delay, Env};

/// How long counts are gathered before they are handed over: one object request however many there were.
const GATHERED_FOR: Duration = Duration::from_secs(5);
/// After this many seconds a handover that should have happened is given up for lost, and another one begins.
const PATIENCE_SECONDS: u64 = 60;

type Key = (u64, Outcome, &'static str);

thread_local! {
    static GATHERED: RefCell<Gathered> = const { RefCell::new(Gathered { counts: BTreeMap::new(), handover_at: None }) };
}

struct Gathered {
    counts: BTreeMap<Key, u64>,
    /// When the handover under way began.
    handover_at: Option<Timestamp>,
}

/// Counts the decision in `line`, if it is on a sign-in.
pub(crate) fn count(line: &LogLine<'_>, env: &Env, worker: &Context) {
    if line.event != "sso" || line.outcome == Outcome::Deferred {
        return;
    }
    let now = platform::now();
    add([((now.day(), line.outcome, line.reason), 1)]);
    let is_due = GATHERED.with_borrow_mut(|gathered| {
        let is_due = gathered.handover_at.is_none_or(|began| now.since(began) > PATIENCE_SECONDS);
        if is_due {
            gathered.handover_at = Some(now);
        }
        is_due
    });
    if is_due {
        let (env, request_id) = (env.clone(), line.request_id.to_owned());
        worker.wait_until(async move {
            Delay::from(GATHERED_FOR).await;
            let counts = GATHERED.with_borrow_mut(|gathered| {
                gathered.handover_at = None;
                std::mem::take(&mut gathered.counts)
            });
            if let Err(fault) = ConsoleObject(&env).count(counts.iter().map(to_count).collect()).await {
                worker::console_error!("{}", fault.log_line("tally", &request_id));
                add(counts);
            }
        });
    }
}

fn add(counts: impl IntoIterator<Item = (Key, u64)>) {
    GATHERED.with_borrow_mut(|gathered| {
        for (key, count) in counts {
            let sum = gathered.counts.entry(key).or_default();
            *sum = sum.saturating_add(count);
        }
    });
}

fn to_count((&(day, outcome, reason), &count): (&Key, &u64)) -> Count {
    Count { day, outcome, reason: reason.to_owned(), count }
}
