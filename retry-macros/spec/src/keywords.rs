//! The values that are words.

/// The backoffs that have a name.
pub const BACKOFFS: [&str; 6] = ["exponential", "fixed", "linear", "fibonacci", "random", "decorrelated"];

/// The jitters that have a name; a [`share`] is written as a number.
pub const JITTERS: [&str; 3] = ["none", "full", "equal"];

/// What may be done with what was retried inside of an attempt.
pub const NESTED: [&str; 1] = ["once"];

/// The share that `20%` stands for: more than 0, at most 1. White space is allowed before the sign.
///
/// # Errors
///
/// What to write instead, where it is no share.
pub fn share(text: &str) -> Result<f64, &'static str> {
    let Some(number) = text.strip_suffix('%').map(str::trim_end) else {
        return Err("a share is written in per cent, for example `\"20%\"`");
    };
    // `parse` alone would take `nan` and `1e1`, which nobody means here.
    let plain = number.chars().all(|char| char.is_ascii_digit() || char == '.');
    match number.parse::<f64>() {
        Ok(percent) if plain && percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("a share is more than 0 and at most 100 per cent, for example `\"20%\"`"),
    }
}

/// What `64KiB` comes to, to be written instead.
#[must_use]
pub fn bytes(text: &str) -> Option<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        assert_eq!(share("20%"), Ok(0.2));
        assert_eq!(share("0.5 %"), Ok(0.005));
        assert_eq!(share("100%"), Ok(1.0));
        for wrong in ["0%", "101%", "-1%", "nan%", "1e1%", "%", "20%%"] {
            assert_eq!(share(wrong), Err("a share is more than 0 and at most 100 per cent, for example `\"20%\"`"));
        }
        for wrong in ["20", "0.2", "", "many"] {
            assert_eq!(share(wrong), Err("a share is written in per cent, for example `\"20%\"`"), "{wrong}");
        }
    }

    #[test]
    fn numbers_of_bytes() {
        for (text, number) in
            [("64KiB", Some(65_536)), ("64 kb", Some(64_000)), ("1MB", Some(1_000_000)), ("5", Some(5))]
        {
            assert_eq!(bytes(text), number, "{text}");
        }
        for text in ["", "KiB", "64GiB", "-1", "99999999999999999999k"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
