//! Keeps secrets in URLs, and control characters, out of events.
//!
//! Hidden are the user and the password, the query and the fragment of every URL, and the same in the `Debug` of a parsed URL. The
//! scheme, the host and the path stay. An error's text does not tell where a URL in it ends: a password, a query or a path
//! that is not escaped may contain anything. In doubt more is hidden:
//!
//! - A query goes on to the bracket or quote that closes the one the URL stands in, and otherwise to the end of the
//!   error's text. The text of its source is shown again.
//! - A user and password go on to the last `@`, where the text before the first `/` is not certainly a host.
//! - Where an `@` may end a password or stand in a query, nothing of the URL is shown.

use core::fmt::{self, Display, Write};

use collected::Collected;
use secrets::Secrets;

mod authority;
mod collected;
mod region;
mod scheme;
mod secrets;
mod token;

/// Shows a value with every secret replaced by `***` and control characters escaped.
pub(crate) struct Masked<'a>(pub(crate) &'a dyn Display);

impl Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(&collect(self.0), f)
    }
}

/// The same as a text.
#[cfg(feature = "connection-events")]
pub(crate) fn mask(value: &dyn Display) -> String {
    Masked(value).to_string()
}

/// An error whose `Display` fails has said what it could.
fn collect(value: &dyn Display) -> Collected {
    let mut collected = Collected::default();
    // The alternate form of an `anyhow::Error` is its whole chain.
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

/// Control characters could make one line look like two, or change what a terminal shows.
fn write_escaped(text: &str, f: &mut impl Write) -> fmt::Result {
    let mut shown = 0;
    for (at, odd) in text.match_indices(is_escaped) {
        f.write_str(&text[shown..at])?;
        write!(f, "{}", odd.escape_debug())?;
        shown = at + odd.len();
    }
    f.write_str(&text[shown..])
}

/// Also what ends a line or turns its direction in Unicode.
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
