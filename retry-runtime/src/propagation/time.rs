//! The two formats of a time that is left, and of the number of an attempt.
//!
//! The parsers accept only ASCII digits and, for gRPC, the unit, and ignore everything else: a header comes from outside, and
//! an ignored one leaves the limits of the service itself.

use core::time::Duration;

use http::HeaderValue;

/// Parses whole milliseconds. Zero means no limit, as for Envoy.
pub(super) fn parse_millis(value: &[u8]) -> Option<Duration> {
    positive(Duration::from_millis(digits(value)?))
}

/// Rounded down. With less than a millisecond left, the value is 1, as Envoy's is: without the header, the server would have
/// no limit at all.
pub(super) fn millis(left: Duration) -> HeaderValue {
    value(u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1), None)
}

/// A unit of `grpc-timeout`, and its length in nanoseconds, from the finest unit.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

const MAX_DIGITS: usize = 8;
const MAX_NUMBER: u64 = 99_999_999;

/// A positive number of at most 8 digits, and a unit.
pub(super) fn parse_grpc(value: &[u8]) -> Option<Duration> {
    let (&unit, number) = value.split_last()?;
    if number.len() > MAX_DIGITS {
        return None;
    }
    let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    // 99,999,999 hours in nanoseconds do not fit into 64 bits. The number of a unit does, in seconds and nanoseconds.
    let number = u32::try_from(digits(number)?).ok()?;
    positive(Duration::from_nanos(nanos).saturating_mul(number))
}

/// Rounded down to the finest unit in which it has at most 8 digits. At least a nanosecond, because zero is not valid, and at
/// most 99,999,999 hours.
pub(super) fn grpc(left: Duration) -> HeaderValue {
    let nanos = left.as_nanos();
    let in_unit = |(unit, length): (u8, u64)| Some((u64::try_from(nanos / u128::from(length)).ok()?, unit));
    let found = UNITS.into_iter().filter_map(in_unit).find(|(number, _)| *number <= MAX_NUMBER);
    let (number, unit) = found.unwrap_or((MAX_NUMBER, b'H'));
    value(number.max(1), Some(unit))
}

/// The number of an attempt, or of those before it.
pub(super) fn number(number: u32) -> HeaderValue {
    match number {
        // Most attempts are the first one.
        1 => HeaderValue::from_static("1"),
        _ => value(number.into(), None),
    }
}

/// A number, and a unit after it. Takes one allocation, where `HeaderValue::from` takes two.
fn value(mut number: u64, unit: Option<u8>) -> HeaderValue {
    // The longest number has 20 digits.
    let mut text = [0; 21];
    let mut start = text.len();
    let mut push = |byte| {
        start -= 1;
        text[start] = byte;
    };
    unit.into_iter().for_each(&mut push);
    loop {
        push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    HeaderValue::from_bytes(&text[start..]).expect("digits and a letter are a valid value")
}

/// The number of an attempt, from 1.
pub(super) fn parse_attempt(value: &[u8]) -> Option<u32> {
    u32::try_from(digits(value)?).ok().filter(|number| *number > 0)
}

/// The number of an attempt, from 1, whose header is the number of the attempts before it.
pub(super) fn parse_previous(value: &[u8]) -> Option<u32> {
    u32::try_from(digits(value)?).ok()?.checked_add(1)
}

/// ASCII digits only: no sign, no space, no separator. `None` if the number does not fit.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn positive(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_milliseconds_are_parsed() {
        for (value, expected) in [
            ("1", Some(1)),
            ("250", Some(250)),
            ("0250", Some(250)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999999999999", None),
            ("0", None),
            ("000", None),
            ("", None),
            ("-1", None),
            ("+5", None),
            (" 5", None),
            ("5 ", None),
            ("1 0", None),
            ("1,2", None),
            ("1.5", None),
            ("1e3", None),
            ("5ms", None),
            ("0x10", None),
            ("١٢", None),
            ("infinite", None),
        ] {
            assert_eq!(parse_millis(value.as_bytes()), expected.map(Duration::from_millis), "{value}");
        }
        assert_eq!(parse_millis(&[0xff, b'1']), None);
        assert_eq!(parse_millis(b"1\0"), None);
    }

    #[test]
    fn only_grpc_timeouts_are_parsed() {
        for (value, expected) in [
            ("1n", Some(Duration::from_nanos(1))),
            ("1500000u", Some(Duration::from_micros(1_500_000))),
            ("2010m", Some(Duration::from_millis(2010))),
            ("00000010S", Some(Duration::from_secs(10))),
            ("5M", Some(Duration::from_secs(300))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("100000000n", None),
            ("000000001n", None),
            ("0S", None),
            ("S", None),
            ("5", None),
            ("", None),
            ("5s", None),
            ("5h", None),
            ("5ms", None),
            ("-5S", None),
            ("+5S", None),
            ("5 S", None),
            (" 5S", None),
            ("5S ", None),
            ("1.5S", None),
        ] {
            assert_eq!(parse_grpc(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn the_finest_unit_with_eight_digits_is_written() {
        for (left, expected) in [
            (Duration::ZERO, "1n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_999), "100000u"),
            (Duration::from_millis(1500), "1500000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_secs(100_000_000), "1666666M"),
            (Duration::from_secs(u64::MAX), "99999999H"),
        ] {
            assert_eq!(grpc(left), expected, "{left:?}");
        }
    }

    #[test]
    fn milliseconds_are_rounded_down_but_never_to_zero() {
        for (left, expected) in [
            (Duration::ZERO, "1"),
            (Duration::from_micros(999), "1"),
            (Duration::from_micros(2999), "2"),
            (Duration::from_millis(1_234_567_890), "1234567890"),
            (Duration::MAX, "18446744073709551615"),
        ] {
            assert_eq!(millis(left), expected, "{left:?}");
        }
        assert_eq!([1, 2, 10, u32::MAX].map(number), ["1", "2", "10", "4294967295"]);
    }

    #[test]
    fn attempts_count_from_1_in_both_protocols() {
        assert_eq!([parse_attempt(b"1"), parse_attempt(b"7")], [Some(1), Some(7)]);
        assert_eq!([parse_attempt(b"0"), parse_attempt(b"4294967296"), parse_attempt(b"+1")], [None; 3]);
        assert_eq!([parse_previous(b"0"), parse_previous(b"1")], [Some(1), Some(2)]);
        assert_eq!([parse_previous(b"4294967295"), parse_previous(b"-1")], [None; 2]);
    }
}
