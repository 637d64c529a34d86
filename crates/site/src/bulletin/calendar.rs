//! Seconds as dates, in UTC: no machine's time zone changes a bulletin.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

fn civil(seconds: u64) -> DateTime {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    Offset::UTC.to_datetime(moment.unwrap_or(Timestamp::MAX))
}

/// The year; and month, day, hour, minute and second.
pub(crate) fn split(seconds: u64) -> (u16, [u8; 5]) {
    let moment = civil(seconds);
    let parts = [moment.month(), moment.day(), moment.hour(), moment.minute(), moment.second()];
    (u16::try_from(moment.year()).unwrap_or_default(), parts.map(|part| u8::try_from(part).unwrap_or_default()))
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
        assert_eq!(split(1_783_000_000), (2026, [7, 2, 13, 46, 40]));
        assert!(shown(u64::MAX).starts_with("9999-12-"), "a time that no calendar has is the last that one has");
    }
}
