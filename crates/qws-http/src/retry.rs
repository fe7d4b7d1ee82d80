use std::time::Duration;

use azure_core::time::{OffsetDateTime, parse_rfc7231};
use http::{HeaderMap, StatusCode};

/// When a failed attempt is made again, and after how long.
///
/// Only calls that are marked repeatable are ever sent twice. The defaults: 4 attempts, waits of 0.4, 0.8 and 1.6 s
/// (each shortened by up to half, at random, so that many clients do not come back together), a server's
/// `Retry-After` obeyed up to 60 s, and no new attempt once waiting for it would end later than 120 s after the start.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    first_wait: Duration,
    max_wait: Duration,
    max_retry_after: Duration,
    budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_wait: Duration::from_millis(400),
            max_wait: Duration::from_secs(30),
            max_retry_after: Duration::from_secs(60),
            budget: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// One attempt and no more.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// At most this many attempts in all, the first included; 0 counts as 1. Default 4.
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The wait before the first repetition; it doubles each time. Default 0.4 s.
    pub fn with_first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// The longest wait we choose ourselves. Default 30 s.
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// The longest wait that a server can ask for; a longer one is cut to this. Default 60 s.
    pub fn with_max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    /// No attempt starts later than this after the first one did. Default 120 s.
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Whether an answer with this status is worth another attempt: 408, 429, 500, 502, 503, 504 and from 506 up
    /// (the set that Azure's clients use).
    #[must_use]
    pub fn is_transient(status: StatusCode) -> bool {
        matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 506..)
    }

    /// How long to wait before the next attempt, or `None` when it is time to give up.
    ///
    /// `attempts` were made so far, `elapsed` is the time since the first began, `asked` is the server's wish
    /// ([`retry_after`]), `random` lies in `0.0..1.0`.
    #[must_use]
    pub fn next_wait(
        &self,
        attempts: u32,
        elapsed: Duration,
        asked: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts {
            return None;
        }
        let wait = if let Some(asked) = asked {
            asked.min(self.max_retry_after)
        } else {
            let doublings = attempts.saturating_sub(1).min(16);
            let full = self.first_wait.saturating_mul(1 << doublings).min(self.max_wait);
            full.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
        };
        (elapsed + wait <= self.budget).then_some(wait)
    }
}

/// How long the server asks us to wait: `Retry-After` (seconds, fractions allowed, or an HTTP date), else
/// `retry-after-ms`, else `x-ms-retry-after-ms` (milliseconds). Zero, past and unreadable values count as not given.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = |name| text(name)?.parse::<f64>().ok().map(|ms| ms / 1000.0);
    let standard = || {
        let text = text("retry-after")?;
        let until = |date: OffsetDateTime| (date - now).as_seconds_f64();
        text.parse::<f64>().ok().or_else(|| parse_rfc7231(text).ok().map(until))
    };
    [standard(), milliseconds("retry-after-ms"), milliseconds("x-ms-retry-after-ms")]
        .into_iter()
        .flatten()
        .filter(|seconds| *seconds > 0.0)
        .find_map(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        azure_core::time::parse_rfc3339("2026-02-03T04:05:06Z").unwrap()
    }

    fn asked(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        retry_after(&headers, now())
    }

    #[test]
    fn all_three_headers_are_read_in_their_order() {
        let seconds = |s| Some(Duration::from_secs_f64(s));
        assert_eq!(asked(&[("retry-after", "7")]), seconds(7.0));
        assert_eq!(asked(&[("retry-after", "0.5")]), seconds(0.5));
        assert_eq!(asked(&[("retry-after", "Tue, 03 Feb 2026 04:05:16 GMT")]), seconds(10.0));
        assert_eq!(asked(&[("retry-after-ms", "1500"), ("x-ms-retry-after-ms", "9000")]), seconds(1.5));
        assert_eq!(asked(&[("x-ms-retry-after-ms", "250")]), seconds(0.25));
        assert_eq!(asked(&[("retry-after", "2"), ("retry-after-ms", "1500")]), seconds(2.0));
    }

    #[test]
    fn useless_values_count_as_not_given() {
        for value in ["0", "-3", "soon", "Tue, 03 Feb 2026 04:05:00 GMT", "NaN", "inf"] {
            assert_eq!(asked(&[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(
            asked(&[("retry-after", "soon"), ("retry-after-ms", "10")]),
            Some(Duration::from_millis(10))
        );
    }

    #[test]
    fn waits_double_shrink_at_random_and_end() {
        let policy = RetryPolicy::default();
        let wait = |attempts, random| policy.next_wait(attempts, Duration::ZERO, None, random);
        assert_eq!(wait(1, 0.0), Some(Duration::from_millis(400)));
        assert_eq!(wait(1, 1.0), Some(Duration::from_millis(200)));
        assert_eq!(wait(2, 0.0), Some(Duration::from_millis(800)));
        assert_eq!(wait(3, 0.0), Some(Duration::from_millis(1600)));
        assert_eq!(wait(4, 0.0), None);
        assert_eq!(RetryPolicy::none().next_wait(1, Duration::ZERO, None, 0.0), None);
    }

    #[test]
    fn a_servers_wish_is_capped_and_the_budget_holds() {
        let policy = RetryPolicy::default();
        let absurd = Some(Duration::from_secs(86_400));
        assert_eq!(policy.next_wait(1, Duration::ZERO, absurd, 0.0), Some(Duration::from_secs(60)));
        assert_eq!(policy.next_wait(2, Duration::from_secs(61), absurd, 0.0), None);
    }

    #[test]
    fn the_transient_statuses_are_azures() {
        let transient = |code| RetryPolicy::is_transient(StatusCode::from_u16(code).unwrap());
        assert!([408, 429, 500, 502, 503, 504, 506, 507, 599].into_iter().all(transient));
        assert!(![200, 304, 400, 401, 403, 404, 409, 501, 505].into_iter().any(transient));
    }
}
