//! Points in time. The edge reads the clock once for each request and passes the time on.

use chrono::{DateTime, Datelike, Month, Timelike, Utc};
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

    /// The time for people: `24 November 2026, 03:42 UTC`. Empty for years that chrono cannot represent.
    pub fn to_text(self) -> String {
        self.date_time()
            .map_or_else(String::new, |at| format!("{}, {:02}:{:02} UTC", self.to_date(), at.hour(), at.minute()))
    }

    /// The day in UTC for people: `24 November 2026`. Empty for years that chrono cannot represent.
    pub fn to_date(self) -> String {
        self.date_time().map_or_else(String::new, |at| format!("{} {} {}", at.day(), month_name(at), at.year()))
    }

    /// The time in the format of RFC 3339: `2026-11-24T03:42:07Z`. Empty for years that chrono cannot represent.
    pub fn to_rfc3339(self) -> String {
        self.date_time().map_or_else(String::new, |at| {
            let (year, month, day) = (at.year(), at.month(), at.day());
            format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.hour(), at.minute(), at.second())
        })
    }

    /// The calendar date and time of day in UTC. None for years that chrono cannot represent.
    pub fn date_time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(i64::try_from(self.0).ok()?, 0)
    }

    /// Seconds from `earlier` to this time; 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The English name of the month.
pub fn month_name(at: DateTime<Utc>) -> &'static str {
    u8::try_from(at.month()).ok().and_then(|month| Month::try_from(month).ok()).map_or("", |month| month.name())
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
