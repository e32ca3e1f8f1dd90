//! Parsing of the `Retry-After` header (RFC 9110 §10.2.3).

use core::time::Duration;
use std::time::SystemTime;

use http::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::util::clock::system_time;

/// The delay that the headers ask for (RFC 9110 §10.2.3), in seconds or as a date. A date in the past is a delay of zero.
/// Any other value is ignored.
///
/// A date is compared with the server's clock if the header `Date` is present, because the clocks of the two machines may
/// differ. Without that header it is compared with this machine's clock, and ignored on a host without a clock.
pub(crate) fn server_delay(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
    let now = || text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).or_else(system_time);
    parse(text(RETRY_AFTER)?, now)
}

fn parse(value: &str, now: impl FnOnce() -> Option<SystemTime>) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that overflows is a very long delay, not an invalid value.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now()?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn only_seconds_and_dates_are_parsed() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = at(784_111_777);
        for (value, delay) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("99999999999", Some(99_999_999_999)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(parse(value, || Some(now)), delay.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn date_is_ignored_without_a_clock() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:47 GMT", || None), None);
        assert_eq!(parse("120", || None), Some(Duration::from_secs(120)));
    }
}
