//! Time as a value: read once per request by the edge, passed to whoever needs it.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

/// A moment: whole seconds since the Unix epoch (NumericDate of RFC 7519 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `seconds` after the epoch.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The second that contains the millisecond `millis` after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis / 1000)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Whole days since the epoch, in UTC.
    pub const fn day(self) -> u64 {
        self.0 / 86_400
    }

    /// The moment `seconds` later.
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The moment `seconds` earlier, or the epoch if that is later.
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// The moment for people, to the minute: `24 November 2026, 03:42 UTC`.
    pub fn to_text(self) -> String {
        self.format("%-d %B %Y, %H:%M UTC")
    }

    /// The moment for machines (RFC 3339): `2026-11-24T03:42:07Z`.
    pub fn to_rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// The moment in UTC by a pattern of `strftime`; empty if it is too far away.
    pub fn format(self, pattern: &str) -> String {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        DateTime::from_timestamp(seconds, 0).map_or_else(String::new, |date| date.format(pattern).to_string())
    }

    /// Seconds from `earlier` to this moment; 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_spelled_for_people_and_for_machines() {
        for (seconds, text, rfc3339) in [
            (0, "1 January 1970, 00:00 UTC", "1970-01-01T00:00:00Z"),
            (1_479_461_544, "18 November 2016, 09:32 UTC", "2016-11-18T09:32:24Z"),
            (1_709_251_199, "29 February 2024, 23:59 UTC", "2024-02-29T23:59:59Z"),
            (u64::MAX, "", ""),
        ] {
            let moment = Timestamp::from_seconds(seconds);
            assert_eq!((moment.to_text().as_str(), moment.to_rfc3339().as_str()), (text, rfc3339));
        }
    }
}
