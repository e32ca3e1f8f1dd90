//! Masking of secrets in URLs, and escaping of control characters, in the texts of events.
//!
//! Masked are the user name, the password, the query and the fragment of every URL, and the same fields in the `Debug`
//! output of a parsed URL. The scheme, the host and the path stay readable. The text of an error does not show where a
//! URL in it ends: an unescaped password, query or path may contain anything. In case of doubt, more is masked:
//!
//! - A query extends to the bracket or quote that closes the one around the URL, or else to the end of the error's text.
//!   The text of the error's source is readable again.
//! - A user name and password extend to the last `@`, unless the text before the first `/` is certainly a host.
//! - If an `@` may either end a password or be part of a query, everything behind the scheme is masked.

use core::fmt::{self, Display, Write};

use collected::Collected;
use secrets::Secrets;

mod authority;
mod collected;
mod region;
mod scheme;
mod secrets;
mod token;

/// Displays a value with every secret replaced by `***` and control characters escaped.
pub(crate) struct Masked<'a>(pub(crate) &'a dyn Display);

impl Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(&collect(self.0), f)
    }
}

/// Formats a value like [`Masked`], as a `String`.
#[cfg(feature = "connection-events")]
pub(crate) fn mask(value: &dyn Display) -> String {
    Masked(value).to_string()
}

/// Formats a value. If its `Display` returns an error, the text up to there is kept.
fn collect(value: &dyn Display) -> Collected {
    let mut collected = Collected::default();
    // The alternate form, because that of an `anyhow::Error` includes its sources.
    let _ = write!(collected, "{value:#}");
    collected
}

fn write_masked(Collected { text, seams, .. }: &Collected, f: &mut impl Write) -> fmt::Result {
    let mut shown = 0;
    for secret in Secrets::new(text, seams) {
        write_escaped(&text[shown..secret.start], f)?;
        f.write_str("***")?;
        shown = secret.end;
    }
    write_escaped(&text[shown..], f)
}

/// Escapes control characters, which could make one line of a log look like two or control a terminal.
pub(crate) fn write_escaped(text: &str, f: &mut impl Write) -> fmt::Result {
    let mut shown = 0;
    for (at, odd) in text.match_indices(is_escaped) {
        f.write_str(&text[shown..at])?;
        write!(f, "{}", odd.escape_debug())?;
        shown = at + odd.len();
    }
    f.write_str(&text[shown..])
}

/// Returns true for control characters, and for the Unicode characters that end a line or change the direction of text.
fn is_escaped(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Masked;

    #[test]
    fn secrets_in_urls_are_masked() {
        for (text, masked) in [
            ("no url, a ? and an @", "no url, a ? and an @"),
            ("https://a.example/p", "https://a.example/p"),
            ("https://u:p@a.example/p?key=1#f", "https://***@a.example/p?***"),
            ("for url (https://a.example/?q=f(1)'s&key=2) x", "for url (https://a.example/?***) x"),
            ("<ftp://u@b>? and \"http://a/?k=1\"!", "<ftp://***@b>? and \"http://a/?***\"!"),
            ("\"http://a/?k=1\" and <ftp://u@b>", "\"http://a/?***"),
            ("https://a.example/@me https://b?y", "https://a.example/@me https://b?***"),
            ("https://a?next=https://u:p@b/ end", "https://a?***"),
            ("https://a.example?user=x@y", "https://a.example?***"),
            ("https://u:p?w#x@host/a?b", "https://***"),
            ("https://ü:ß@a.example/é?ö", "https://***@a.example/é?***"),
            ("://", "://"),
        ] {
            assert_eq!(Masked(&text).to_string(), masked);
        }
    }
}
