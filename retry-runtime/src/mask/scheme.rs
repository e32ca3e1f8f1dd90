//! Schemes of URLs.

use super::token::{Token, before, token};

/// A scheme and its separator: `https://`, however it is escaped.
pub(super) struct Scheme {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The length of the percent-encoding of its colon.
    pub(super) percent: usize,
    /// True if it begins where a word does. Otherwise it may be part of a password.
    pub(super) is_bound: bool,
}

impl Scheme {
    /// The scheme that ends with the colon at a place.
    pub(super) fn at(text: &str, start: usize, colon: Token) -> Option<Self> {
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let begin = text[..start].trim_end_matches(in_scheme).len();
        let before = before(text, begin);
        let (begin, before) = match token(text, begin.saturating_sub(1)) {
            // The first letters and digits belong to an escape: `%2Fhttps`, `\nhttps`.
            Some(escape) if begin > 0 && escape.end > begin => (escape.end.min(start), Some(escape.what)),
            _ => (begin, before),
        };
        let name = &text[begin..start];
        let is_special = ["http", "https", "ws", "wss", "ftp"].iter().any(|special| name.eq_ignore_ascii_case(special));
        let (mut end, mut slashes, mut is_alike) = (colon.end, 0_usize, true);
        while let Some(next) = token(text, end) {
            match next.what {
                '/' => slashes += 1,
                // As browsers, and the crate `url`, read it.
                '\\' if is_special => slashes += next.end - end,
                _ => break,
            }
            is_alike &= next.percent == colon.percent;
            end = next.end;
        }
        let in_password = |c: char| c.is_alphanumeric() || matches!(c, '@' | '!' | '$' | '%' | '*' | '_' | '~' | '^');
        let is_named = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_bound = is_named && is_alike && !before.is_some_and(in_password);
        // One slash is what is left where a proxy has merged the two.
        let is_scheme = slashes >= 2 || slashes == 1 && is_special;
        is_scheme.then_some(Self { start: begin, end, percent: colon.percent, is_bound })
    }
}

/// The bracket or quote that closes one.
pub(super) fn closer_of(opener: char) -> Option<char> {
    match opener {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        '<' => Some('>'),
        '“' => Some('”'),
        '«' => Some('»'),
        '"' | '\'' | '`' => Some(opener),
        _ => None,
    }
}
