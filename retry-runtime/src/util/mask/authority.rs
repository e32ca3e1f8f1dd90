//! The beginning of a URL, behind the scheme: a host, or a user name and password before a host.

use std::net::Ipv4Addr;

use super::token::token;

/// The kind of text behind `://`, up to the place where a host would end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Authority {
    /// Certainly a host: `localhost`, an IP address, or a name with a dot and without a port.
    Host,
    /// A name without dots: either a host, or a user name without a password.
    Name,
    /// Either a host and a port, or a user name and the beginning of a password: `orders:8080`.
    Ambiguous,
    /// Certainly a user name and a password: the text behind the colon is not a port.
    Password,
}

/// Classifies the text from `from` on. `text` ends at the next scheme, if there is one; `before_scheme` is true then.
///
/// `percent` is the length of the percent-encoding of the colon of this URL's scheme. A character with a longer encoding
/// was encoded more often than the URL, so it is part of a name and does not end it.
pub(super) fn classify(text: &str, from: usize, percent: usize, before_scheme: bool) -> Authority {
    let host = host(text, from);
    let name = &text[from..host];
    let is_known = name.starts_with('[') || name == "localhost" || name.parse::<Ipv4Addr>().is_ok();
    match token(text, host) {
        None if before_scheme => Authority::Ambiguous,
        Some(colon) if colon.what == ':' && colon.percent <= percent => {
            // Another scheme directly behind the colon, as in `https://u:p://`, cannot be a port.
            if colon.end == text.len() && before_scheme {
                return Authority::Password;
            }
            match port(text, colon.end, percent) {
                Port::None | Port::Some if is_known => Authority::Host,
                Port::None if named(name) == Authority::Host => Authority::Host,
                Port::Some if name.is_empty() => Authority::Password,
                Port::None | Port::Some | Port::Ambiguous => Authority::Ambiguous,
                Port::No => Authority::Password,
            }
        }
        _ if !ends_host(text, host, percent) => Authority::Ambiguous,
        _ if is_known => Authority::Host,
        _ => named(name),
    }
}

fn named(name: &str) -> Authority {
    if name.trim_end_matches('.').contains('.') { Authority::Host } else { Authority::Name }
}

/// The end of the host that begins at `from`: a name, or an IPv6 address in brackets.
fn host(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    if let Some(rest) = rest.strip_prefix('[') {
        // Includes the zone of a link-local address, such as `%eth0`.
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '%' | '-' | '_');
        let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        return if rest[length..].starts_with(']') { from + length + "[]".len() } else { from };
    }
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    from + rest.find(|c| !inside(c)).unwrap_or(rest.len())
}

/// The kind of text behind a host's colon.
enum Port {
    /// A port.
    Some,
    /// Nothing: the colon is punctuation of the sentence, as in "no answer from https://a.example: …". Only a space or
    /// the end of the text shows that. All other punctuation, even if it is escaped, could begin a password.
    None,
    /// A port, or the beginning of a password.
    Ambiguous,
    /// Not a port, so certainly a password.
    No,
}

fn port(text: &str, from: usize, percent: usize) -> Port {
    let rest = &text[from..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let end = from + digits;
    if token(text, end).is_some_and(|next| next.what == '@') {
        return Port::Ambiguous;
    }
    match ends_host(text, end, percent) {
        _ if rest.is_empty() || rest.starts_with(' ') => Port::None,
        true if digits == 0 => Port::Ambiguous,
        true if rest[..digits].parse::<u16>().is_ok() => Port::Some,
        _ => Port::No,
    }
}

/// Returns true if a host or a port can end at `at`.
fn ends_host(text: &str, at: usize, percent: usize) -> bool {
    let Some(next) = token(text, at) else { return true };
    match next.what {
        _ if next.percent > percent => false,
        ' ' | '/' | '?' | '#' | '\\' | '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ']' | '}' | '|' => true,
        // Punctuation of the sentence around the URL.
        ',' | ';' | ':' | '.' | '!' => token(text, next.end).is_none_or(|after| matches!(after.what, ' ' | '"' | '\'')),
        _ => false,
    }
}
