//! The `Retry-After` header.

use core::time::Duration;
use std::time::SystemTime;

use http::header::{DATE, HeaderMap, RETRY_AFTER};

/// The delay that the headers ask for, where they do (RFC 9110 §10.2.3): seconds, or a date, which is a delay of
/// zero once it has passed. Anything else asks for nothing.
///
/// A date is read by the server's clock, where the header `Date` tells it, and else by this machine's: they may differ.
pub(crate) fn server_delay(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
    let now = || text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    parse(text(RETRY_AFTER)?, now)
}

fn parse(value: &str, now: impl FnOnce() -> SystemTime) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a long delay, not a wrong one.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else_is() {
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
            assert_eq!(parse(value, || now), delay.map(Duration::from_secs), "{value}");
        }
    }
}
