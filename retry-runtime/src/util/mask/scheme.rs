//! Schemes of URLs.

use super::token::{Token, before, ends_word, token};

/// A scheme and its separator: `https://`, however it is escaped. Or only the separator, of a URL that is relative to a scheme: `//`.
pub(super) struct Scheme {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The length of the percent-encoding of its colon, or of its first slash.
    pub(super) percent: usize,
    /// True if it begins where a word does. Otherwise it may be part of a password.
    pub(super) is_bound: bool,
}

impl Scheme {
    /// The scheme whose separator begins with the token at a place.
    pub(super) fn at(text: &str, start: usize, first: Token) -> Option<Self> {
        match first.what {
            ':' => Self::named(text, start, first),
            '/' => Self::relative(text, start, first),
            _ => None,
        }
    }

    fn named(text: &str, start: usize, colon: Token) -> Option<Self> {
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
        let is_bound = is_named && is_alike && slashes > 0 && !before.is_some_and(in_password);
        // One slash is what is left where a proxy has merged the two. The crate `url` also reads `https:user:password@host`.
        let is_scheme = slashes >= 2 || is_special && (slashes == 1 || goes_on(text, end));
        is_scheme.then_some(Self { start: begin, end, percent: colon.percent, is_bound })
    }

    /// Two slashes at the beginning of a word.
    fn relative(text: &str, start: usize, first: Token) -> Option<Self> {
        let is_start =
            |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '[' | '{' | '<' | '=' | ',' | '|');
        let second = token(text, first.end).filter(|second| second.what == '/')?;
        let is_relative = before(text, start).is_none_or(is_start) && goes_on(text, second.end);
        // It could be part of a password.
        is_relative.then_some(Self { start, end: second.end, percent: first.percent, is_bound: false })
    }
}

/// Returns true if the word does not end at a place.
fn goes_on(text: &str, at: usize) -> bool {
    token(text, at).is_some_and(|next| !ends_word(next.what))
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
