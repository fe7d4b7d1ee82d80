//! The emulator's one idea of time: jobs, sessions, tokens and SAS links all read it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::format_description::well_known::Rfc2822;
use time::{OffsetDateTime, UtcOffset};

/// A handle on the emulator's clock; clones share it.
///
/// In real time it follows the machine's clock; a manual clock stands still. Both move forward by [`Clock::advance`].
///
/// ```
/// use std::time::Duration;
/// # use qws_emulator::Clock;
/// let clock = Clock::manual(time::OffsetDateTime::UNIX_EPOCH);
/// clock.advance(Duration::from_mins(1));
/// assert_eq!(clock.now().unix_timestamp(), 60);
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    /// Where a manual clock stands before any `advance`; `None` follows the machine's clock.
    start: Option<OffsetDateTime>,
    advanced: Arc<Mutex<Duration>>,
}

impl Clock {
    /// A clock that follows the machine's.
    #[must_use]
    pub fn real() -> Self {
        Self { start: None, advanced: Arc::default() }
    }

    /// A clock that stands at `start` until it is advanced.
    #[must_use]
    pub fn manual(start: OffsetDateTime) -> Self {
        Self { start: Some(start.to_offset(UtcOffset::UTC)), advanced: Arc::default() }
    }

    /// The present, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let base = self.start.unwrap_or_else(OffsetDateTime::now_utc);
        base + *self.advanced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock forward, and with it every job, session, token and SAS link that reads it.
    pub fn advance(&self, by: Duration) {
        *self.advanced.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

/// `2026-02-03T04:05:06.1234567+00:00`: seven fraction digits and a numeric offset, as the service writes creation times.
pub(crate) fn precise(at: OffsetDateTime) -> String {
    format!("{}.{:07}+00:00", seconds(at), at.nanosecond() / 100)
}

/// The same with `Z`, as it is written for sessions.
pub(crate) fn precise_z(at: OffsetDateTime) -> String {
    format!("{}.{:07}Z", seconds(at), at.nanosecond() / 100)
}

/// `2026-02-03T04:05:06.123Z`, as providers report when execution began and ended.
pub(crate) fn millis(at: OffsetDateTime) -> String {
    format!("{}.{:03}Z", seconds(at), at.millisecond())
}

/// `2026-02-03T04:05:06Z`, as SAS links carry it.
pub(crate) fn sas(at: OffsetDateTime) -> String {
    format!("{}Z", seconds(at))
}

/// `Tue, 03 Feb 2026 04:05:06 GMT`, the form of HTTP headers (RFC 9110, section 5.6.7).
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    let (weekday, month) = (at.weekday().to_string(), at.month().to_string());
    let (hour, minute, second) = at.to_hms();
    format!(
        "{:.3}, {:02} {:.3} {:04} {hour:02}:{minute:02}:{second:02} GMT",
        weekday,
        at.day(),
        month,
        at.year()
    )
}

/// Reads what [`http_date`] writes.
pub(crate) fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&format!("{}+0000", text.strip_suffix("GMT")?), &Rfc2822).ok()
}

fn seconds(at: OffsetDateTime) -> String {
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_service_writes_them() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_770_091_506_123_456_700).unwrap();
        assert_eq!(precise(at), "2026-02-03T04:05:06.1234567+00:00");
        assert_eq!(millis(at), "2026-02-03T04:05:06.123Z");
        assert_eq!(sas(at), "2026-02-03T04:05:06Z");
        assert_eq!(http_date(at), "Tue, 03 Feb 2026 04:05:06 GMT");
    }

    #[test]
    fn a_real_clock_can_be_pushed_forward_too() {
        let clock = Clock::real();
        let before = clock.now();
        clock.clone().advance(Duration::from_hours(1));
        assert!(clock.now() - before >= Duration::from_hours(1));
    }
}
