//! The values that are keywords, such as `"exponential"`.

use std::time::Duration;

use crate::duration;
use crate::suggest::suggest_quoted;

/// Declares an enum whose variants are written as keywords.
macro_rules! keywords {
    (
        $(#[$attribute:meta])*
        $Name:ident($kind:literal) { $($(#[$of_variant:meta])* $Variant:ident $keyword:literal,)+ }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Name {
            $($(#[$of_variant])* $Variant,)+
        }

        impl $Name {
            /// The keywords, in the order of the documentation.
            pub const KEYWORDS: &'static [&'static str] = &[$($keyword),+];

            /// The keyword for this value.
            #[must_use]
            pub const fn keyword(self) -> &'static str {
                match self {
                    $(Self::$Variant => $keyword,)+
                }
            }

            /// Reads a keyword.
            ///
            /// # Errors
            ///
            /// For an unknown keyword: the message, which suggests the nearest known one.
            pub fn read(text: &str) -> Result<Self, String> {
                match text {
                    $($keyword => Ok(Self::$Variant),)+
                    _ => Err(unknown($kind, text, Self::KEYWORDS)),
                }
            }
        }
    };
}

/// The default of `factor` for an exponential backoff.
pub const FACTOR: f64 = 2.0;
/// The default of `factor` for a decorrelated backoff.
pub const DECORRELATED_FACTOR: f64 = 3.0;

keywords! {
    /// How delays grow. The keywords are also the names of the constructors of `Policy`.
    Backoff("backoff") {
        /// Each delay is the previous one times the factor.
        Exponential "exponential",
        /// All delays are equal.
        Fixed "fixed",
        /// Each delay is longer than the previous one by the first delay.
        Linear "linear",
        /// Each delay is the sum of the two before it.
        Fibonacci "fibonacci",
        /// A random delay between two bounds.
        Random "random",
        /// A random delay whose upper bound depends on the previous delay.
        Decorrelated "decorrelated",
    }
}

impl Backoff {
    /// Returns `true` if the delay itself is random, without jitter.
    #[must_use]
    pub const fn is_random(self) -> bool {
        matches!(self, Self::Random | Self::Decorrelated)
    }

    /// Returns `true` if the delays depend on `factor`.
    #[must_use]
    pub const fn has_factor(self) -> bool {
        matches!(self, Self::Exponential | Self::Decorrelated)
    }

    /// The default of `factor`.
    #[must_use]
    pub const fn default_factor(self) -> f64 {
        match self {
            Self::Decorrelated => DECORRELATED_FACTOR,
            _ => FACTOR,
        }
    }
}

keywords! {
    /// The conditions for errors that are written as a keyword.
    OnError("condition") {
        /// Every error.
        Any "any",
        /// Transient errors.
        Transient "transient",
        /// No error.
        Never "never",
    }
}

keywords! {
    /// The treatment of a failure that a call inside the attempt has already retried.
    Nested("value") {
        /// It is not retried a second time.
        Once "once",
    }
}

keywords! {
    /// The level of a call's events.
    Events("level") {
        /// Information and warnings.
        Info "info",
        /// Debugging information only.
        Debug "debug",
        /// No events.
        Off "off",
    }
}

/// The number of attempts of `attempts = "unlimited"`.
pub const UNLIMITED: u32 = u32::MAX;
/// The keyword for [`UNLIMITED`].
pub const UNLIMITED_KEYWORD: &str = "unlimited";
/// The value of `retry_after` that ignores the delays of servers.
pub const IGNORE_KEYWORD: &str = "ignore";

keywords! {
    /// The treatment of a server's delay within the limit.
    WithinRetryAfter("value") {
        /// It is a lower bound of the computed delay.
        Raise "raise",
        /// It replaces the computed delay.
        Replace "replace",
    }
}

keywords! {
    /// The treatment of a server's delay beyond the limit.
    BeyondRetryAfter("value") {
        /// The call gives up.
        GiveUp "give_up",
        /// The call waits as long as the limit.
        Wait "wait",
        /// The server's delay is ignored.
        Ignore "ignore",
    }
}

/// The randomness of a delay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// Exactly the computed delay.
    None,
    /// Between zero and the computed delay.
    Full,
    /// Between half of the computed delay and all of it.
    Equal,
    /// At most this share shorter or longer than the computed delay. Greater than 0, at most 1.
    Share(f64),
    /// At most this much longer than the computed delay. Longer than zero.
    Plus(Duration),
}

impl Jitter {
    /// The jitters that are written as a keyword.
    pub const KEYWORDS: &'static [&'static str] = &["none", "full", "equal"];

    /// Returns `true` if it makes delays longer, so that they may reach the cap.
    #[must_use]
    pub const fn lengthens(self) -> bool {
        matches!(self, Self::Share(_) | Self::Plus(_))
    }

    /// Reads a keyword, a share such as `20%`, or a duration to add such as `+500ms`.
    ///
    /// # Errors
    ///
    /// The message for anything else.
    pub fn read(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "full" => Ok(Self::Full),
            "equal" => Ok(Self::Equal),
            text if text.starts_with('+') => Ok(Self::Plus(plus(text)?)),
            text if text.ends_with('%') || text.parse::<f64>().is_ok() => Ok(Self::Share(share(text)?)),
            _ if duration::parse(text).is_ok() => {
                Err(format!("a duration to add to each delay begins with `+`: write `\"+{}\"`", text.trim()))
            }
            _ => Err(unknown("jitter", text, Self::KEYWORDS)),
        }
    }
}

const PLUS_NOTHING: &str = "additive jitter is longer than zero, for example `\"+500ms\"`";

/// Reads `+500ms`.
fn plus(text: &str) -> Result<Duration, String> {
    let extra = text.strip_prefix('+').unwrap_or(text);
    if extra.parse::<f64>().is_ok() {
        return Err(format!("`{text}` has no unit: write `\"{text}s\"` or `\"{text}ms\"`"));
    }
    let extra = duration::parse(extra)?;
    if extra.is_zero() { Err(PLUS_NOTHING.to_owned()) } else { Ok(extra) }
}

/// The message for a keyword that is not allowed.
fn unknown(kind: &str, word: &str, allowed: &[&str]) -> String {
    // The name that most other retry libraries have for it.
    if kind == "backoff" && word == "constant" {
        return "unknown backoff `\"constant\"`: write `\"fixed\"`".to_owned();
    }
    format!("unknown {kind} `\"{word}\"`: {}", suggest_quoted(word, allowed))
}

/// The message for a share without a percent sign.
pub const SHARE_WITHOUT_PERCENT: &str = "a share is a percentage, for example `\"20%\"`";
const SHARE_OUT_OF_RANGE: &str = "a share is more than 0 % and at most 100 %, for example `\"20%\"`";

/// Reads a percentage as a fraction: `20%` is 0.2. White space is allowed before the sign.
fn share(text: &str) -> Result<f64, &'static str> {
    let Some(number) = text.strip_suffix('%').map(str::trim_end) else {
        return Err(SHARE_WITHOUT_PERCENT);
    };
    // `parse` alone would also accept `nan` and `1e1`.
    let plain = number.chars().all(|char| char.is_ascii_digit() || char == '.');
    match number.parse::<f64>() {
        Ok(percent) if plain && percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err(SHARE_OUT_OF_RANGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_read_back() {
        for word in Backoff::KEYWORDS {
            assert_eq!(Backoff::read(word).unwrap().keyword(), *word);
        }
        assert_eq!(OnError::read("never"), Ok(OnError::Never));
        assert_eq!(Nested::read("once"), Ok(Nested::Once));
        for word in Jitter::KEYWORDS {
            assert!(Jitter::read(word).is_ok(), "{word}");
        }
    }

    #[test]
    fn unknown_keywords_get_a_suggestion() {
        let refused = |read: Result<Backoff, String>, message: &str| assert_eq!(read, Err(message.to_owned()));
        refused(Backoff::read("exponental"), "unknown backoff `\"exponental\"`: did you mean `\"exponential\"`?");
        refused(Backoff::read("constant"), "unknown backoff `\"constant\"`: write `\"fixed\"`");
        assert_eq!(Jitter::read("ful"), Err("unknown jitter `\"ful\"`: did you mean `\"full\"`?".to_owned()));
    }

    #[test]
    fn durations_to_add() {
        assert_eq!(Jitter::read("+500ms"), Ok(Jitter::Plus(Duration::from_millis(500))));
        assert_eq!(Jitter::read("+ 1m 30s"), Ok(Jitter::Plus(Duration::from_secs(90))));
        let sign = "a duration to add to each delay begins with `+`: write `\"+500ms\"`";
        assert_eq!(Jitter::read("500ms"), Err(sign.to_owned()));
        assert_eq!(Jitter::read("+0ms"), Err(PLUS_NOTHING.to_owned()));
        assert_eq!(Jitter::read("+500"), Err("`+500` has no unit: write `\"+500s\"` or `\"+500ms\"`".to_owned()));
        assert_eq!(Jitter::read("+"), Err("this duration is empty: write one such as `\"250ms\"`".to_owned()));
    }

    #[test]
    fn shares() {
        assert_eq!(share("20%"), Ok(0.2));
        assert_eq!(share("0.5 %"), Ok(0.005));
        assert_eq!(share("100%"), Ok(1.0));
        for wrong in ["0%", "101%", "-1%", "nan%", "1e1%", "%", "20%%"] {
            assert_eq!(share(wrong), Err(SHARE_OUT_OF_RANGE), "{wrong}");
        }
        for wrong in ["20", "0.2", "", "many"] {
            assert_eq!(share(wrong), Err(SHARE_WITHOUT_PERCENT), "{wrong}");
        }
    }
}
