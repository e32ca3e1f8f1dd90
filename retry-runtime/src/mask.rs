//! Keeps secrets that stand in URLs out of events.

use core::fmt::{self, Display};

/// Shows what it holds with user name, password and query of every URL in it replaced by `***`.
pub(crate) struct Masked<'a>(pub(crate) &'a dyn Display);

impl Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The alternate form of an `anyhow::Error` is its whole chain.
        f.write_str(&mask(&format!("{:#}", self.0)))
    }
}

const SCHEME_END: &str = "://";

pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME_END) {
        let (before, url) = rest.split_at(at + SCHEME_END.len());
        // Brackets and single quotes may stand in a query: ending it there would leak what follows them.
        let (url, after) = url.split_at(url.find(ends_url).unwrap_or(url.len()));
        masked.push_str(before);
        push_url(&mut masked, url);
        rest = after;
    }
    masked + rest
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '<' | '>')
}

/// A URL without its scheme. A password may have marks in it that should have been written otherwise; the user's
/// part ends at the last `@` before the path.
fn push_url(masked: &mut String, url: &str) {
    let path = url.find('/').unwrap_or(url.len());
    let user = url[..path].rfind('@');
    if user.is_some() {
        masked.push_str("***");
    }
    let rest = &url[user.unwrap_or(0)..];
    match rest.split_once('?') {
        Some((place, _)) => {
            masked.push_str(place);
            masked.push_str("?***");
        }
        None => masked.push_str(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn secrets_in_urls_are_masked() {
        for (text, masked) in [
            ("no url, a ? and an @", "no url, a ? and an @"),
            ("https://a.example/p", "https://a.example/p"),
            ("https://u:p@a.example/p?key=1#f", "https://***@a.example/p?***"),
            ("for url (https://a.example/?q=f(1)'s&key=2) x", "for url (https://a.example/?*** x"),
            ("\"http://a/?k=1\" and <ftp://u@b>?", "\"http://a/?***\" and <ftp://***@b>?"),
            ("https://a.example/@me?x https://b?y", "https://a.example/@me?*** https://b?***"),
            ("https://a?next=https://u:p@b/ end", "https://a?*** end"),
            ("https://a.example?user=x@y", "https://***@y"),
            ("https://u:p?w#x@host/a?b", "https://***@host/a?***"),
            ("https://ü:ß@a.example/é?ö", "https://***@a.example/é?***"),
            ("://", "://"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }
}
