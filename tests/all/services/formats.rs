//! The two formats of a time: no bytes make the parsers panic, and no time gets longer on its way to the next service.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use retry_runtime::propagation::Propagation;
use retry_runtime::{Executor, Policy};

/// The library's own file, because its parsers are not public.
#[path = "../../../retry-runtime/src/propagation/time.rs"]
mod time;

/// Times from nanoseconds to thousands of years, each magnitude as likely as the others.
fn times() -> impl Strategy<Value = Duration> {
    (0..68_u32, any::<u64>(), 0..1_000_000_000_u32).prop_map(|(shift, seconds, nanos)| match shift {
        0..4 => Duration::new(0, nanos >> (shift * 8)),
        _ => Duration::new(seconds.checked_shr(shift - 4).unwrap_or(0), nanos),
    })
}

/// Bytes that look like a header: digits and units, with other bytes in between.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(
        prop_oneof![9 => b'0'..=b'9', 3 => prop::sample::select(b"HMSmun".to_vec()), 1 => any::<u8>()],
        0..24,
    )
}

/// The value as a number of `nanos`, computed without the library: digits and a unit of a known length.
fn reference(digits: &[u8], nanos: u128) -> Option<u128> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse::<u128>().ok()?.checked_mul(nanos).filter(|nanos| *nanos > 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn milliseconds_are_never_longer_than_what_is_left(left in times()) {
        let read = time::parse_millis(time::millis(left).as_bytes()).unwrap();
        let one = Duration::from_millis(1);
        prop_assert!(read <= left.max(one), "{left:?} {read:?}");
        let longest = Duration::from_millis(u64::MAX);
        prop_assert!(left - read.min(left) < one || read == longest, "{left:?} {read:?}");
    }

    #[test]
    fn grpc_timeouts_are_never_longer_than_what_is_left(left in times()) {
        let value = time::grpc(left);
        let read = time::parse_grpc(value.as_bytes()).unwrap();
        prop_assert!(read <= left.max(Duration::from_nanos(1)), "{left:?} {read:?}");
        prop_assert!(value.len() <= 9);
        let (unit, _) = value.as_bytes().split_last().unwrap();
        let unit = match unit {
            b'n' => Duration::from_nanos(1),
            b'u' => Duration::from_micros(1),
            b'm' => Duration::from_millis(1),
            b'S' => Duration::from_secs(1),
            b'M' => Duration::from_secs(60),
            _ => Duration::from_secs(3600),
        };
        let longest = Duration::from_secs(99_999_999 * 3600);
        prop_assert!(left - read.min(left) < unit || read == longest, "{left:?} {read:?}");
    }

    #[test]
    fn milliseconds_of_any_bytes_are_digits_or_none(value in prop_oneof![likely(), prop::collection::vec(any::<u8>(), 0..40)]) {
        let expected = reference(&value, 1_000_000).filter(|nanos| *nanos <= u128::from(u64::MAX) * 1_000_000);
        prop_assert_eq!(time::parse_millis(&value).map(|time| time.as_nanos()), expected);
    }

    #[test]
    fn grpc_timeouts_of_any_bytes_are_at_most_eight_digits_and_a_unit_or_none(
        value in prop_oneof![likely(), prop::collection::vec(any::<u8>(), 0..40)]
    ) {
        let expected = value.split_last().filter(|(_, digits)| digits.len() <= 8).and_then(|(unit, digits)| {
            let units = [(b'n', 1), (b'u', 1000), (b'm', 1_000_000), (b'S', 1_000_000_000_u128)];
            let longer = [(b'M', 60_000_000_000), (b'H', 3_600_000_000_000)];
            let (_, nanos) = units.into_iter().chain(longer).find(|(name, _)| name == unit)?;
            reference(digits, nanos)
        });
        prop_assert_eq!(time::parse_grpc(&value).map(|time| time.as_nanos()), expected);
    }

    /// Whatever a request says already, the time that is sent is valid, and not longer than the call has.
    #[test]
    fn decorated_request_never_has_more_time_than_the_call(value in likely(), is_grpc in any::<bool>(), seconds in 1..100_u64) {
        let (propagation, name) = match is_grpc {
            true => (Propagation::grpc(), "grpc-timeout"),
            false => (Propagation::new(), "x-envoy-expected-rq-timeout-ms"),
        };
        let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
        let mut headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
        let limit = Duration::from_secs(seconds);
        let attempt = Executor::new(Policy::new().attempts(1).deadline(limit)).current();
        propagation.decorate(&mut headers, &attempt);
        let sent = headers[name].as_bytes();
        let sent = if is_grpc { time::parse_grpc(sent) } else { time::parse_millis(sent) };
        prop_assert!(sent.is_some_and(|sent| sent <= limit), "{headers:?}");
    }

    #[test]
    fn attempts_of_any_bytes_are_positive_or_none(value in prop_oneof![likely(), prop::collection::vec(any::<u8>(), 0..40)]) {
        let number = std::str::from_utf8(&value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|text| text.parse::<u32>().ok());
        prop_assert_eq!(time::parse_attempt(&value), number.filter(|number| *number > 0));
        prop_assert_eq!(time::parse_previous(&value), number.and_then(|number| number.checked_add(1)));
    }
}
