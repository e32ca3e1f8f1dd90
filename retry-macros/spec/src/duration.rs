//! The grammar of durations: `"250ms"`, `"1.5s"`, `"1h 30m"`.

use std::time::Duration;

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

const TOO_LONG: &str = "this duration is too long: write at most 584 billion years";

/// Reads a duration: the sum of its parts, which may be separated by white space. The units are `ns`, `us` or `µs`, `ms`, `s`,
/// `m`, `h` and `d`.
///
/// # Errors
///
/// The message, which says what to write instead.
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("this duration is empty: write one such as `\"250ms\"`".to_owned());
    }
    let mut total = 0u128;
    while !rest.is_empty() {
        let (nanoseconds, after) = part(rest)?;
        total = total.checked_add(nanoseconds).ok_or(TOO_LONG)?;
        rest = after.trim_start();
    }
    let seconds = u64::try_from(total / 1_000_000_000).map_err(|_| TOO_LONG)?;
    // The remainder of a division by 10⁹ fits in a `u32`.
    Ok(Duration::new(seconds, (total % 1_000_000_000) as u32))
}

/// Reads one part, such as `1.5s`, from the start of the text. Returns its nanoseconds and the rest of the text.
fn part(text: &str) -> Result<(u128, &str), String> {
    if text.starts_with('-') {
        return Err("a duration cannot be negative: remove the `-`".to_owned());
    }
    let (number, rest) = split_where(text, |char| !char.is_ascii_digit() && char != '.');
    let (unit, after) = split_where(rest.trim_start(), |char| !char.is_alphabetic());
    if number.is_empty() {
        return Err(format!("expected a number at `{text}`: write a duration such as `\"250ms\"`"));
    }
    if let Some(odd) = rest.chars().next().filter(|odd| unit.is_empty() && !odd.is_whitespace()) {
        return Err(format!("unexpected `{odd}` after `{number}`: write a unit such as `ms` there"));
    }
    if unit.is_empty() {
        return Err(format!("`{number}` has no unit: write `\"{number}s\"` or `\"{number}ms\"`"));
    }
    let Some((_, factor)) = UNITS.iter().find(|(known, _)| *known == normal(unit)) else {
        return Err(unknown_unit(number, unit));
    };
    if rest.starts_with(char::is_whitespace) {
        return Err(format!("write `{number}{unit}` without white space before the unit"));
    }
    Ok((scaled(number, unit, *factor)?, after))
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// Replaces the Greek letter mu by the micro sign, which looks the same.
fn normal(unit: &str) -> &str {
    if unit == "\u{3bc}s" { "\u{b5}s" } else { unit }
}

fn scaled(number: &str, unit: &str, factor: u128) -> Result<u128, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let right = match (whole, fraction) {
        ("", "") => Some("1.5".to_owned()),
        (_, fraction) if fraction.contains('.') => Some("1.5".to_owned()),
        ("", fraction) => Some(format!("0.{fraction}")),
        (whole, "") => Some(whole.to_owned()),
        _ => None,
    };
    if let Some(right) = right {
        return Err(format!("`{number}` is not a number: write for example `{right}{unit}`"));
    }
    let fraction = fraction.trim_end_matches('0');
    let finer = || format!("`{number}{unit}` is finer than a nanosecond: write a whole number of nanoseconds");
    // 10³⁸ is the largest power of ten in a `u128`. No unit needs more than 14 digits.
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= 20).ok_or_else(finer)?;
    let parts = 10u128.pow(digits);
    // At most 10²⁰ · 10¹⁴, which fits in a `u128`.
    let fraction = fraction.parse::<u128>().unwrap_or(0) * factor;
    if fraction % parts != 0 {
        return Err(finer());
    }
    let whole = whole.parse::<u128>().ok().and_then(|whole| whole.checked_mul(factor));
    whole.and_then(|whole| whole.checked_add(fraction / parts)).ok_or_else(|| TOO_LONG.to_owned())
}

fn unknown_unit(number: &str, unit: &str) -> String {
    let right = match unit.to_lowercase().as_str() {
        "nano" | "nanos" | "nsec" | "nanosecond" | "nanoseconds" => "ns",
        "micro" | "micros" | "usec" | "microsecond" | "microseconds" => "us",
        "ms" | "milli" | "millis" | "msec" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => {
            return format!("unknown unit `{unit}`: expected `ns`, `us`, `ms`, `s`, `m`, `h` or `d`");
        }
    };
    format!("unknown unit `{unit}`: write `{number}{right}`")
}

/// The message for a number where a duration is expected.
#[must_use]
pub fn without_unit(number: &str) -> String {
    format!("a duration is a string with a unit: write `\"{number}s\"` or `\"{number}ms\"`")
}

/// Formats a duration for prose: `250 ms`, `1.5 s`, `2 min`, `1 h 30 min`.
#[must_use]
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let below_a_minute = Duration::new(seconds % 60, duration.subsec_nanos());
    let mut parts = Vec::new();
    for (count, unit) in [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min")] {
        if count > 0 {
            parts.push(format!("{count} {unit}"));
        }
    }
    if parts.is_empty() || !below_a_minute.is_zero() {
        parts.push(short(below_a_minute));
    }
    parts.join(" ")
}

/// Formats a duration below a minute in the largest unit that is not longer than the duration.
fn short(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let (unit, factor, digits) = match nanoseconds {
        0 | 1_000_000_000.. => ("s", 1_000_000_000, 9),
        1_000_000.. => ("ms", 1_000_000, 6),
        1_000.. => ("µs", 1_000, 3),
        _ => ("ns", 1, 0),
    };
    let fraction = format!("{:0digits$}", nanoseconds % factor);
    let fraction = if digits == 0 { "" } else { fraction.trim_end_matches('0') };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction} {unit}", nanoseconds / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, nanoseconds) in [
            ("0s", 0),
            ("1ns", 1),
            ("1us", 1_000),
            ("1\u{b5}s", 1_000),
            ("1\u{3bc}s", 1_000),
            ("250ms", 250_000_000),
            ("1s", 1_000_000_000),
            ("1.5s", 1_500_000_000),
            ("1.50s", 1_500_000_000),
            ("0.000000001s", 1),
            ("2m", 120_000_000_000),
            ("1h 30m", 5_400_000_000_000),
            ("1h30m", 5_400_000_000_000),
            (" 1d  2h ", 93_600_000_000_000),
        ] {
            assert_eq!(parse(text).map(|duration| duration.as_nanos()), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn the_longest_duration_is_the_limit() {
        let longest = format!("{}s 999999999ns", u64::MAX);
        assert_eq!(parse(&longest), Ok(Duration::MAX));
        for text in [&format!("{longest} 1ns"), "99999999999999999999s", "340282366920938463463374607431768211456ns"] {
            assert_eq!(parse(text), Err(TOO_LONG.to_owned()), "{text}");
        }
    }

    #[test]
    fn wrong_durations_get_a_message() {
        for (text, message) in [
            ("", "this duration is empty: write one such as `\"250ms\"`"),
            ("  ", "this duration is empty: write one such as `\"250ms\"`"),
            ("-1s", "a duration cannot be negative: remove the `-`"),
            ("1", "`1` has no unit: write `\"1s\"` or `\"1ms\"`"),
            ("1h 30", "`30` has no unit: write `\"30s\"` or `\"30ms\"`"),
            ("1x", "unknown unit `x`: expected `ns`, `us`, `ms`, `s`, `m`, `h` or `d`"),
            ("1min", "unknown unit `min`: write `1m`"),
            ("1sec", "unknown unit `sec`: write `1s`"),
            ("1S", "unknown unit `S`: write `1s`"),
            ("5 seconds", "unknown unit `seconds`: write `5s`"),
            ("1 s", "write `1s` without white space before the unit"),
            ("s", "expected a number at `s`: write a duration such as `\"250ms\"`"),
            ("1_000ms", "unexpected `_` after `1`: write a unit such as `ms` there"),
            (".5s", "`.5` is not a number: write for example `0.5s`"),
            ("5.s", "`5.` is not a number: write for example `5s`"),
            (".s", "`.` is not a number: write for example `1.5s`"),
            ("1.2.3s", "`1.2.3` is not a number: write for example `1.5s`"),
            ("0.5ns", "`0.5ns` is finer than a nanosecond: write a whole number of nanoseconds"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_are_formatted_for_prose() {
        for (text, formatted) in [
            ("0s", "0 s"),
            ("5ns", "5 ns"),
            ("1500ns", "1.5 µs"),
            ("100ms", "100 ms"),
            ("1s", "1 s"),
            ("1500ms", "1.5 s"),
            ("1s 1ns", "1.000000001 s"),
            ("2m", "2 min"),
            ("61.5s", "1 min 1.5 s"),
            ("1h 30m", "1 h 30 min"),
            ("36h", "1 d 12 h"),
        ] {
            assert_eq!(human(parse(text).unwrap()), formatted, "{text}");
        }
    }
}
