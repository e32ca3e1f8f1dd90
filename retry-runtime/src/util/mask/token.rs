//! Characters of a URL, decoded from the usual escapes.

/// A character, decoded if it was escaped, and the position behind it.
#[derive(Clone, Copy)]
pub(super) struct Token {
    /// The character. Escapes are decoded only if the character separates parts of a URL or of a quoted text. `' '`
    /// stands for white space and control characters of every kind.
    pub(super) what: char,
    pub(super) end: usize,
    /// The length of its percent-encoding, which grows each time that it is encoded again; 0 if it is not percent-encoded.
    pub(super) percent: usize,
}

/// The token at `at`. Decodes percent-encoding (even if it is nested), the escapes of JSON and of `Debug` output (`\/`,
/// `\u002f`, `\n`), and numeric HTML entities.
pub(super) fn token(text: &str, at: usize) -> Option<Token> {
    let rest = text.get(at..)?;
    let first = rest.chars().next()?;
    let encoded = if first == '%' { percent(rest.as_bytes()) } else { None };
    let (what, length) = match first {
        '%' => encoded.unwrap_or((first, 1)),
        '&' => entity(rest).unwrap_or((first, 1)),
        '\\' => backslashes(rest),
        _ if first.is_whitespace() || first.is_control() => (' ', first.len_utf8()),
        _ => (first, first.len_utf8()),
    };
    Some(Token { what, end: at + length, percent: encoded.map_or(0, |(_, length)| length) })
}

/// The tokens from `from` on, each with its position.
pub(super) fn tokens(text: &str, from: usize) -> impl Iterator<Item = (usize, Token)> {
    let mut at = from;
    core::iter::from_fn(move || {
        let token = token(text, at)?;
        Some((core::mem::replace(&mut at, token.end), token))
    })
}

/// The character before `at`; if an HTML entity ends there, the character that the entity encodes.
pub(super) fn before(text: &str, at: usize) -> Option<char> {
    const LONGEST: usize = 12;
    let before = &text[..at];
    let entity = before.bytes().rev().take(LONGEST).position(|byte| byte == b'&').map(|back| at - back - 1);
    match entity.filter(|_| before.ends_with(';')).and_then(|entity| token(text, entity)) {
        Some(escape) if escape.end == at => Some(escape.what),
        _ => before.chars().next_back(),
    }
}

/// Returns true for the characters that separate the parts of a URL. Escapes of other characters need not be decoded.
fn structures(c: char) -> bool {
    matches!(c, ':' | '/' | '@' | '?' | '#' | '[' | ']')
}

/// Decodes `%3A`, `%253A`, `%25253A` and so on.
fn percent(rest: &[u8]) -> Option<(char, usize)> {
    let mut digits = 1;
    while rest.get(digits..digits + 2) == Some(b"25") {
        digits += 2;
    }
    let (end, hex) = (digits + 2, rest.get(digits..digits + 2)?);
    number(core::str::from_utf8(hex).ok()?, 16).filter(|c| structures(*c)).map(|c| (c, end))
}

/// Decodes `&#x3A;` and `&#58;`.
fn entity(rest: &str) -> Option<(char, usize)> {
    const LONGEST: usize = 12;
    let digits = rest.strip_prefix("&#")?;
    let end = digits.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let digits = &digits[..end];
    let c = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => number(hex, 16),
        None => number(digits, 10),
    };
    c.filter(|c| structures(*c)).map(|c| (c, "&#;".len() + end))
}

/// Decodes a run of backslashes and the character that they escape. Text that is escaped repeatedly has longer runs.
fn backslashes(rest: &str) -> (char, usize) {
    let run = rest.len() - rest.trim_start_matches('\\').len();
    let escaped = &rest[run..];
    match escaped.chars().next() {
        Some(c @ ('/' | '"' | '\'')) => (c, run + 1),
        Some('n' | 'r' | 't') => (' ', run + 1),
        Some('%' | '&') => match token(escaped, 0) {
            Some(slash) if slash.what == '/' => ('/', run + slash.end),
            _ => ('\\', run),
        },
        Some('u') => unicode(&escaped[1..]).map_or(('\\', run), |(c, length)| (c, run + 1 + length)),
        _ => ('\\', run),
    }
}

/// Decodes `002f`, as in JSON, or `{1b}`, as in `Debug` output.
fn unicode(digits: &str) -> Option<(char, usize)> {
    const LONGEST: usize = 6;
    let (hex, length) = match digits.strip_prefix('{') {
        Some(braced) => {
            let end = braced.bytes().take(LONGEST + 1).position(|byte| byte == b'}')?;
            (&braced[..end], end + "{}".len())
        }
        None => (digits.get(..4)?, 4),
    };
    let c = number(hex, 16)?;
    let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
    (c == ' ' || structures(c)).then_some((c, length))
}

fn number(digits: &str, radix: u32) -> Option<char> {
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
}

/// Returns true for the characters that end a word of the text. No well-formed URL contains them.
pub(super) fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '"' | '`' | '<' | '>')
}
