//! Seconds as dates, in UTC: no machine's time zone changes a bulletin.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// A day.
pub(crate) struct Day {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

fn civil(seconds: u64) -> DateTime {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    Offset::UTC.to_datetime(moment.unwrap_or(Timestamp::MAX))
}

/// The day, and hour, minute and second.
pub(crate) fn split(seconds: u64) -> (Day, [u8; 3]) {
    let moment = civil(seconds);
    let positive = |number: i8| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(moment.year()).unwrap_or_default();
    let day = Day { year, month: positive(moment.month()), day: positive(moment.day()) };
    (day, [positive(moment.hour()), positive(moment.minute()), positive(moment.second())])
}

/// `2026-07-01 20:15:00 UTC`.
pub(crate) fn shown(seconds: u64) -> String {
    civil(seconds).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates_in_utc() {
        assert_eq!(shown(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(shown(1_783_000_000), "2026-07-02 13:46:40 UTC");
        let (day, time) = split(1_783_000_000);
        assert_eq!(((day.year, day.month, day.day), time), ((2026, 7, 2), [13, 46, 40]));
        assert!(shown(u64::MAX).starts_with("9999-12-"), "a time that no calendar has is the last that one has");
    }
}
