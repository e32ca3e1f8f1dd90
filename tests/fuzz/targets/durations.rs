//! The grammar of durations, compared with an independent reader.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::time::Duration;

use retry_fuzz::text;
use retry_runtime::policy::PolicyBuilder;
use retry_spec::duration::{human, parse};

retry_fuzz::target!(durations);

fn durations(bytes: &[u8]) {
    let text = text(bytes);
    let parsed = parse(&text);
    assert_eq!(parsed.as_ref().ok().copied(), reference(&text), "{text:?}");
    match parsed {
        Ok(duration) => printed_text_is_read_again(duration),
        Err(message) => assert!(!message.is_empty() && !message.contains('\n') || text.contains('\n'), "{message}"),
    }
}

/// A policy prints its times in the same grammar, so that they can be copied to a file.
fn printed_text_is_read_again(duration: Duration) {
    let debug = format!("{duration:?}");
    assert_eq!(parse(&debug), Ok(duration), "{debug}");
    let policy = PolicyBuilder::fixed(Duration::ZERO).attempts(1).deadline(duration).clamp().to_string();
    let printed = policy.strip_prefix("1 attempt, deadline ").expect("a deadline is printed");
    assert_eq!(parse(printed), Ok(duration.max(Duration::from_nanos(1))), "{printed}");
    // The text for people has other names for units, but the same numbers.
    let prose = human(duration).replace("min", "m").replace(' ', "");
    assert_eq!(parse(&prose), Ok(duration), "{prose}");
}

/// Reads the same language from right to left, character by character, in decimal digits instead of binary fractions.
fn reference(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0_u128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (before, nanos, shift) = unit(rest)?;
        let number_starts =
            before.rfind(|c: char| c != '.' && !c.is_ascii_digit()).map_or(0, |at| at + char_len(before, at));
        let (left, number) = before.split_at(number_starts);
        total = total.checked_add(value(number, nanos, shift)?)?;
        rest = left.trim_end();
    }
    let seconds = u64::try_from(total / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, (total % 1_000_000_000) as u32))
}

fn char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

/// The unit at the end of the text: the text before it, its nanoseconds as a factor and a power of ten.
fn unit(text: &str) -> Option<(&str, u128, usize)> {
    let units: [(&str, u128, usize); 9] = [
        ("ns", 1, 0),
        ("us", 1, 3),
        ("\u{b5}s", 1, 3),
        ("\u{3bc}s", 1, 3),
        ("ms", 1, 6),
        ("s", 1, 9),
        ("m", 60, 9),
        ("h", 3600, 9),
        ("d", 86_400, 9),
    ];
    units.into_iter().find_map(|(unit, nanos, shift)| {
        let before = text.strip_suffix(unit)?;
        before.ends_with(|c: char| c.is_ascii_digit()).then_some((before, nanos, shift))
    })
}

/// `digits.digits` · factor · 10^shift, if that is a whole number of nanoseconds.
fn value(number: &str, factor: u128, shift: usize) -> Option<u128> {
    let mut halves = number.split('.');
    let (whole, fraction) = (halves.next()?, halves.next().unwrap_or("0"));
    if halves.next().is_some() || whole.is_empty() || fraction.is_empty() {
        return None;
    }
    // Shift the point to the right, digit by digit; what is left behind it has to be a multiple with the factor.
    let fraction = fraction.trim_end_matches('0');
    let mut digits: Vec<u8> = fraction.bytes().take(shift).collect();
    digits.resize(shift, b'0');
    let behind = fraction.get(shift..).unwrap_or_default();
    let front: u128 = format!("{whole}{}", String::from_utf8(digits).ok()?).parse().ok()?;
    let mut carried = 0_u128;
    if !behind.is_empty() {
        // No factor has more than 10 factors of two and five, so longer fractions never are whole.
        if behind.len() > 10 {
            return None;
        }
        let scaled = behind.parse::<u128>().ok()?.checked_mul(factor)?;
        let power = 10_u128.pow(behind.len() as u32);
        if scaled % power != 0 {
            return None;
        }
        carried = scaled / power;
    }
    front.checked_mul(factor)?.checked_add(carried)
}
