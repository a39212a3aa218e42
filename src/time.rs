//! Points in time. The edge reads the clock once for each request and passes the time on.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

/// Whole seconds since the Unix epoch (NumericDate of RFC 7519 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

#[cfg(test)]
pub(crate) const NOW_FOR_TEST: Timestamp = Timestamp::from_seconds(1_800_000_000);

impl Timestamp {
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Rounds down to the second.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis / 1000)
    }

    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Whole days since the epoch, in UTC.
    pub const fn day(self) -> u64 {
        self.0 / 86_400
    }

    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The time `seconds` earlier, but not before the epoch.
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// The time for people: `24 November 2026, 03:42 UTC`.
    pub fn to_text(self) -> String {
        self.format("%-d %B %Y, %H:%M UTC")
    }

    /// The time in the format of RFC 3339: `2026-11-24T03:42:07Z`.
    pub fn to_rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// Formats the time in UTC with a `strftime` pattern. Returns an empty text for years that chrono cannot represent.
    pub fn format(self, pattern: &str) -> String {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        DateTime::from_timestamp(seconds, 0).map_or_else(String::new, |date| date.format(pattern).to_string())
    }

    /// Seconds from `earlier` to this time; 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_formatted_for_people_and_for_machines() {
        for (seconds, text, rfc3339) in [
            (0, "1 January 1970, 00:00 UTC", "1970-01-01T00:00:00Z"),
            (1_479_461_544, "18 November 2016, 09:32 UTC", "2016-11-18T09:32:24Z"),
            (1_709_251_199, "29 February 2024, 23:59 UTC", "2024-02-29T23:59:59Z"),
            (u64::MAX, "", ""),
        ] {
            let time = Timestamp::from_seconds(seconds);
            assert_eq!((time.to_text().as_str(), time.to_rfc3339().as_str()), (text, rfc3339));
        }
    }
}
