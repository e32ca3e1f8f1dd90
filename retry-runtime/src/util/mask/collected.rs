//! The text of an error, with the places where its parts meet.

use core::fmt;

/// A place where no URL goes on.
#[derive(Clone, Copy)]
pub(super) struct Seam {
    pub(super) at: usize,
    /// True at the end of a URL.
    pub(super) after_url: bool,
}

/// Collects a text that is formatted in pieces. A hand-written `Display` writes each value as a piece of its own, so where a URL is
/// such a value, its end is known, whatever is in it.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) text: String,
    pub(super) seams: Vec<Seam>,
    /// True if the last piece is a URL that may be complete.
    after_url: bool,
}

impl fmt::Write for Collected {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let after_url = self.after_url && ends_url(piece);
        if after_url || is_between_errors(piece) {
            self.seams.push(Seam { at: self.text.len(), after_url });
        }
        self.after_url = is_url(piece);
        self.text.push_str(piece);
        Ok(())
    }
}

/// Recognizes the separator between an error and its source, as this crate and `anyhow` write it.
fn is_between_errors(piece: &str) -> bool {
    piece == ": "
}

/// Returns true for a value with a scheme, and not for a beginning such as `https://u:` or `https://h/?token=`, which
/// another piece completes.
fn is_url(piece: &str) -> bool {
    let scheme = piece.split("://").next().unwrap_or_default();
    scheme.len() < piece.len()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && piece.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Returns true if the piece behind a URL begins as the sentence around the URL would go on.
fn ends_url(piece: &str) -> bool {
    let mut characters = piece.chars();
    match characters.next() {
        Some(')' | ']' | '}' | '>' | '"' | '\'' | '`') => true,
        Some(':' | ',' | ';' | '.') => characters.next().is_some_and(char::is_whitespace),
        Some(c) => c.is_whitespace(),
        None => false,
    }
}
