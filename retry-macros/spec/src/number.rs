//! The rules about one number or duration: the ranges of values.

use std::time::Duration;

use crate::invalid::Invalid;

/// Reads an integer. An integer out of range becomes the nearest one that `i128` can represent.
#[must_use]
pub fn integer(text: &str) -> Option<i128> {
    let (unsigned, limit) = text.strip_prefix('-').map_or((text, i128::MAX), |digits| (digits, i128::MIN));
    let digits = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(limit))
}

/// Checks `attempts`.
///
/// # Errors
///
/// The message for a number below 1 or above `u32::MAX`.
pub fn attempts(number: i128) -> Result<u32, &'static str> {
    if number < 1 {
        return Err(Invalid::Attempts.message());
    }
    u32::try_from(number).map_err(|_| "this number does not fit in a `u32`: did you mean `\"unlimited\"`?")
}

/// Checks `hedge_max`.
///
/// # Errors
///
/// The message for a number below 2 or above `u32::MAX`.
pub fn hedge_max(number: i128) -> Result<u32, &'static str> {
    if number < 2 {
        return Err("`hedge_max` includes the first copy: it must be at least 2");
    }
    u32::try_from(number).map_err(|_| "this number does not fit in a `u32`")
}

/// Checks `factor`.
///
/// # Errors
///
/// The message for a number that is not finite or is below 1, because delays would shrink.
pub fn factor(number: f64) -> Result<f64, &'static str> {
    if number.is_finite() && number >= 1.0 { Ok(number) } else { Err(Invalid::Factor.message()) }
}

/// Checks `drain_limit`. `largest` is the text to write for the largest limit.
///
/// # Errors
///
/// The message for a number below 0 or above `usize::MAX`.
pub fn drain_limit(number: i128, largest: &str) -> Result<usize, String> {
    if number < 0 {
        return Err("a number of bytes cannot be negative: write `drain_limit = 0` to read no bodies".to_owned());
    }
    usize::try_from(number).map_err(|_| format!("this number does not fit in a `usize`: write {largest}"))
}

/// The number of bytes of `64KiB`, for the message that says what to write instead.
#[must_use]
pub fn bytes_with_unit(text: &str) -> Option<usize> {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "kib" => 1 << 10,
        "m" | "mb" => 1_000_000,
        "mib" => 1 << 20,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(factor)
}

/// The message for [`bytes_with_unit`].
#[must_use]
pub fn write_bytes(bytes: usize) -> String {
    format!("write the number of bytes: `drain_limit = {bytes}`")
}

/// Checks `deadline`.
///
/// # Errors
///
/// The message for zero.
pub fn deadline(deadline: Duration) -> Result<Duration, &'static str> {
    if deadline.is_zero() { Err(Invalid::Deadline.message()) } else { Ok(deadline) }
}

/// Checks `attempt_timeout`.
///
/// # Errors
///
/// The message for zero.
pub fn attempt_timeout(timeout: Duration) -> Result<Duration, &'static str> {
    if timeout.is_zero() { Err(Invalid::AttemptTimeout.message()) } else { Ok(timeout) }
}

/// Checks `drain_timeout`.
///
/// # Errors
///
/// The message for zero.
pub fn drain_timeout(timeout: Duration) -> Result<Duration, &'static str> {
    if timeout.is_zero() { Err(Invalid::DrainTimeout.message()) } else { Ok(timeout) }
}

/// Checks `hedge`.
///
/// # Errors
///
/// The message for zero.
pub fn hedge(delay: Duration) -> Result<Duration, &'static str> {
    if delay.is_zero() {
        return Err("`hedge` must be longer than zero: a zero delay makes every attempt twice");
    }
    Ok(delay)
}

/// The message for an empty list of `delays`.
pub const NO_DELAYS: &str = Invalid::NoDelays.message();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_out_of_range_are_the_nearest() {
        assert_eq!(integer("12"), Some(12));
        assert_eq!(integer("-12"), Some(-12));
        assert_eq!(integer(&"9".repeat(50)), Some(i128::MAX));
        assert_eq!(integer(&format!("-{}", "9".repeat(50))), Some(i128::MIN));
        for wrong in ["", "-", "1.5", "one", "+1"] {
            assert_eq!(integer(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(attempts(1), Ok(1));
        assert!(attempts(0).is_err() && attempts(-1).is_err() && attempts(1 << 32).is_err());
        assert_eq!(hedge_max(2), Ok(2));
        assert!(hedge_max(1).is_err() && hedge_max(1 << 32).is_err());
        assert_eq!(factor(1.0), Ok(1.0));
        assert!([0.5, -2.0, f64::INFINITY, f64::NAN].into_iter().all(|wrong| factor(wrong).is_err()));
        assert_eq!(drain_limit(0, "less"), Ok(0));
        assert!(drain_limit(-1, "less").is_err() && drain_limit(i128::MAX, "less").is_err());
        let zero = Duration::ZERO;
        assert!(deadline(zero).is_err() && attempt_timeout(zero).is_err());
        assert!(drain_timeout(zero).is_err() && hedge(zero).is_err());
    }

    #[test]
    fn numbers_of_bytes() {
        for (text, number) in
            [("64KiB", Some(65_536)), ("64 kb", Some(64_000)), ("1MB", Some(1_000_000)), ("5", Some(5))]
        {
            assert_eq!(bytes_with_unit(text), number, "{text}");
        }
        for text in ["", "KiB", "64GiB", "-1", "99999999999999999999k"] {
            assert_eq!(bytes_with_unit(text), None, "{text}");
        }
    }
}
