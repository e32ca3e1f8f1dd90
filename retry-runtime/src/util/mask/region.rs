//! The search for the characters that separate the parts of one URL.

use super::authority::Authority;
use super::scheme::Scheme;
use super::token::{Token, ends_word, token, tokens};

/// The text that may belong to one URL, and the positions of its separators.
pub(super) struct Region<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// The beginning of the first other scheme, or the end of the text.
    pub(super) first_end: usize,
    /// The length of the percent-encoding of the URL's own colon.
    pub(super) percent: usize,
    /// The position behind the first `?` or `#` that begins a query or a fragment.
    pub(super) query: Option<usize>,
    /// The first `?` or `#`, even if it begins neither.
    mark: Option<usize>,
    /// The first `?` or `#` that is percent-encoded.
    encoded_mark: Option<usize>,
    last_at: Option<usize>,
    /// The last `@` that is percent-encoded. It counts only without a plain one.
    last_encoded_at: Option<usize>,
    /// The last `@` behind a user name and a password that begin in a later word than the first: `my user:secret@`.
    credentials: Option<usize>,
    /// True if there is an `@` in the first word.
    word_has_at: bool,
    is_first_word: bool,
    /// True up to the first space, comma or semicolon, which separate the items of a list.
    is_first_item: bool,
    /// True if the current item is not the first one and has a colon with text directly behind it, as in `user:password`.
    item_has_colon: bool,
    /// True if that holds for any item so far.
    pub(super) any_has_colon: bool,
}

impl<'a> Region<'a> {
    pub(super) fn new(text: &'a str, at: usize, percent: usize) -> Self {
        Self {
            text,
            at,
            first_end: text.len(),
            percent,
            query: None,
            mark: None,
            encoded_mark: None,
            last_at: None,
            last_encoded_at: None,
            credentials: None,
            word_has_at: false,
            is_first_word: true,
            is_first_item: true,
            item_has_colon: false,
            any_has_colon: false,
        }
    }

    pub(super) fn read_to_scheme(&mut self) -> Option<Scheme> {
        let from = self.at;
        while let Some(next) = token(self.text, self.at) {
            let start = self.at;
            if let Some(scheme) = Scheme::at(self.text, start, next) {
                self.at = scheme.end;
                self.first_end = self.first_end.min(scheme.start.max(from));
                return Some(scheme);
            }
            self.at = next.end;
            self.read(start, next);
        }
        None
    }

    fn read(&mut self, start: usize, Token { what, end, percent }: Token) {
        let is_encoded = percent > self.percent;
        match what {
            '?' | '#' => {
                let mark = if is_encoded { &mut self.encoded_mark } else { &mut self.mark };
                mark.get_or_insert(start);
                if self.is_first_word || begins_query(self.text, what, end) {
                    self.query.get_or_insert(end);
                }
            }
            '@' if is_encoded => self.last_encoded_at = Some(start),
            '@' => {
                self.last_at = Some(start);
                self.word_has_at |= self.is_first_word && self.mark.is_none();
                if self.item_has_colon {
                    self.credentials = self.last_at;
                }
            }
            ':' if !self.is_first_item && token(self.text, end).is_some_and(|next| next.what != ' ') => {
                (self.item_has_colon, self.any_has_colon) = (true, true);
            }
            ' ' | ',' | ';' => {
                (self.is_first_item, self.item_has_colon) = (false, false);
                self.is_first_word &= !ends_word(what);
            }
            _ => self.is_first_word &= !ends_word(what),
        }
    }

    pub(super) fn last_at(&self) -> Option<usize> {
        self.last_at.or(self.last_encoded_at)
    }

    /// The `@` that may end a user name and a password.
    pub(super) fn user_info_end(&self, authority: Authority) -> Option<usize> {
        match authority {
            Authority::Ambiguous | Authority::Password => self.last_at(),
            Authority::Name => self.last_at().filter(|_| self.word_has_at || self.any_has_colon),
            Authority::Host => self.credentials,
        }
    }

    /// Returns true if the text behind the last `@` may be part of a query: the `?` or `#` before it either belongs to a
    /// password or begins a query.
    pub(super) fn is_ambiguous(&self, last: usize) -> bool {
        let encoded_mark = self.encoded_mark.filter(|_| self.last_at.is_none());
        self.mark.into_iter().chain(encoded_mark).any(|mark| mark < last)
    }
}

/// Returns true if a `?` or `#` in a later word than the first begins a query, as it does if the path contains a space. A
/// `?` that ends a question and a `#` before the number of an issue do not.
fn begins_query(text: &str, mark: char, behind: usize) -> bool {
    const LONGEST: usize = 8;
    let punctuation = |c: char| c.is_ascii_punctuation() && !matches!(c, '=' | '&' | '%' | '_' | '\\');
    let mut behind_it = tokens(text, behind).map(|(_, token)| token.what);
    let ends_sentence = match behind_it.by_ref().take(LONGEST).find(|c| !punctuation(*c)) {
        Some(c) => c == ' ',
        None => behind_it.next().is_none(),
    };
    let number = text[behind..].trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number =
        number.len() < text.len() - behind && !number.starts_with(|c: char| c.is_alphanumeric() || c == '=');
    !(ends_sentence || mark == '#' && is_number)
}
