//! Recognition of URL schemes.

use super::token::{Token, before, ends_word, token};

/// A scheme and its separator, `https://`, however it is escaped; or the separator alone, `//`, of a URL that is relative
/// to a scheme.
pub(super) struct Scheme {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The length of the percent-encoding of its colon or, without a colon, of its first slash.
    pub(super) percent: usize,
    /// True if it begins at the beginning of a word. Otherwise it may be part of a password.
    pub(super) is_bound: bool,
}

impl Scheme {
    /// The scheme whose separator begins with the token `first`, which is at `start`.
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
            // The first letters and digits may belong to an escape, as in `%2Fhttps` and `\nhttps`.
            Some(escape) if begin > 0 && escape.end > begin => (escape.end.min(start), Some(escape.what)),
            _ => (begin, before),
        };
        let name = &text[begin..start];
        let is_special = ["http", "https", "ws", "wss", "ftp"].iter().any(|special| name.eq_ignore_ascii_case(special));
        let (mut end, mut slashes, mut is_alike) = (colon.end, 0_usize, true);
        while let Some(next) = token(text, end) {
            match next.what {
                '/' => slashes += 1,
                // Browsers and the crate `url` read a backslash as a slash.
                '\\' if is_special => slashes += next.end - end,
                _ => break,
            }
            is_alike &= next.percent == colon.percent;
            end = next.end;
        }
        let in_password = |c: char| c.is_alphanumeric() || matches!(c, '@' | '!' | '$' | '%' | '*' | '_' | '~' | '^');
        let is_named = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_bound = is_named && is_alike && slashes > 0 && !before.is_some_and(in_password);
        // A proxy may have merged the two slashes into one. The crate `url` even accepts `https:user:password@host`.
        let is_scheme = slashes >= 2 || is_special && (slashes == 1 || goes_on(text, end));
        is_scheme.then_some(Self { start: begin, end, percent: colon.percent, is_bound })
    }

    /// Recognizes two slashes at the beginning of a word.
    fn relative(text: &str, start: usize, first: Token) -> Option<Self> {
        let is_start =
            |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '[' | '{' | '<' | '=' | ',' | '|');
        let second = token(text, first.end).filter(|second| second.what == '/')?;
        let is_relative = before(text, start).is_none_or(is_start) && goes_on(text, second.end);
        // Never bound, because it could be part of a password.
        is_relative.then_some(Self { start, end: second.end, percent: first.percent, is_bound: false })
    }
}

/// Returns true if a word continues at `at`.
fn goes_on(text: &str, at: usize) -> bool {
    token(text, at).is_some_and(|next| !ends_word(next.what))
}

/// The bracket or quote that closes `opener`.
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
