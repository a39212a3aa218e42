//! The number of sign-ins and denials by day and reason, for the console's chart. No decision depends on them.

use crate::log::Outcome;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

pub const DAYS_SHOWN: u64 = 14;
pub const DAYS_KEPT: u64 = 90;

/// The number of log lines of one day with the same outcome and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Whole days since 1 January 1970, in UTC.
    pub day: u64,
    pub outcome: Outcome,
    pub reason: String,
    pub count: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Whole days since 1 January 1970, in UTC.
    pub day: u64,
    pub signed_in: u64,
    /// Sign-ins that were denied, or failed by a fault of Signet.
    pub denied: u64,
}

/// The counts of the days that the chart shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// All days, the oldest first.
    pub days: Vec<Day>,
    /// The denials of all days by reason, the most frequent first.
    pub denials: Vec<(String, u64)>,
}

impl Counters {
    /// Sums up `counts` for the [`DAYS_SHOWN`] days up to `now`.
    pub fn new(counts: &[Count], now: Timestamp) -> Self {
        let first = first_day_shown(now);
        let mut days: Vec<Day> = (first..=now.day()).map(|day| Day { day, ..Day::default() }).collect();
        let mut denials: Vec<(String, u64)> = Vec::new();
        for count in counts {
            let Some(day) = days.iter_mut().find(|day| day.day == count.day) else { continue };
            if count.outcome == Outcome::Granted {
                day.signed_in = day.signed_in.saturating_add(count.count);
            } else {
                day.denied = day.denied.saturating_add(count.count);
                match denials.iter_mut().find(|(reason, _)| *reason == count.reason) {
                    Some((_, sum)) => *sum = sum.saturating_add(count.count),
                    None => denials.push((count.reason.clone(), count.count)),
                }
            }
        }
        denials.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self { days, denials }
    }

    pub fn signed_in(&self) -> u64 {
        self.days.iter().fold(0, |sum, day| sum.saturating_add(day.signed_in))
    }

    pub fn denied(&self) -> u64 {
        self.days.iter().fold(0, |sum, day| sum.saturating_add(day.denied))
    }
}

/// The first day that the chart shows at `now`, in whole days since 1 January 1970, in UTC.
pub fn first_day_shown(now: Timestamp) -> u64 {
    now.day().saturating_add(1).saturating_sub(DAYS_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(day: u64, outcome: Outcome, reason: &str, count: u64) -> Count {
        Count { day, outcome, reason: reason.into(), count }
    }

    #[test]
    fn counts_are_summed_by_day_and_denials_by_reason() {
        let now = Timestamp::from_seconds(20_000 * 86_400 + 5);
        let counters = Counters::new(
            &[
                count(20_000, Outcome::Granted, "ok", 5),
                count(20_000, Outcome::Granted, "switched", 1),
                count(20_000, Outcome::Denied, "closed", 2),
                count(19_999, Outcome::Denied, "token_used", 3),
                count(19_987, Outcome::Failed, "storage", 1),
                count(19_986, Outcome::Granted, "ok", 9),
            ],
            now,
        );
        assert_eq!(counters.days.len(), 14);
        assert_eq!(counters.days.last(), Some(&Day { day: 20_000, signed_in: 6, denied: 2 }));
        assert_eq!(counters.days.first(), Some(&Day { day: 19_987, signed_in: 0, denied: 1 }));
        let denials = [("token_used", 3), ("closed", 2), ("storage", 1)].map(|(reason, n)| (reason.to_owned(), n));
        assert_eq!(counters.denials, denials);
        assert_eq!((counters.signed_in(), counters.denied()), (6, 6));
    }
}
