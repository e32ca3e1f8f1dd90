//! The text of an error, with the boundaries between the parts that it is formatted from.

use core::fmt;

/// A boundary in the text that no URL crosses.
#[derive(Clone, Copy)]
pub(super) struct Seam {
    pub(super) at: usize,
    /// True at the end of a URL.
    pub(super) after_url: bool,
}

/// A formatted text and its seams. A typical `Display` writes each value as a separate piece, so if a value is a URL,
/// the end of the piece is the end of the URL, whatever the URL contains.
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

/// Returns true for the separator between an error and its source, which this crate and `anyhow` write as a piece of its
/// own.
fn is_between_errors(piece: &str) -> bool {
    piece == ": "
}

/// Returns true for a piece that may be a complete URL. A piece that ends in punctuation, such as `https://u:` or
/// `https://h/?token=`, is only the beginning of one: the next piece completes it.
fn is_url(piece: &str) -> bool {
    let scheme = piece.split("://").next().unwrap_or_default();
    scheme.len() < piece.len()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && piece.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Returns true if the piece behind a URL begins like the rest of the sentence around the URL.
fn ends_url(piece: &str) -> bool {
    let mut characters = piece.chars();
    match characters.next() {
        Some(')' | ']' | '}' | '>' | '"' | '\'' | '`') => true,
        Some(':' | ',' | ';' | '.') => characters.next().is_some_and(char::is_whitespace),
        Some(c) => c.is_whitespace(),
        None => false,
    }
}
