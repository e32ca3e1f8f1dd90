//! The search for secrets in a text.

use core::ops::Range;

use super::authority::{Authority, classify};
use super::token::{Token, token};

/// The ranges of a text that hold secrets, ascending. Each part of the text is looked at a bounded number of times.
///
/// Where a text can be read in two ways, what is secret in one of them is hidden.
pub(super) struct Secrets<'a> {
    text: &'a str,
    /// Places where no URL goes on.
    seams: &'a [usize],
    at: usize,
    segment: Segment,
    /// Where the host of a URL begins whose user and password were hidden just now.
    host: Option<usize>,
    /// What closes the bracket or the quote that the last URL stands in.
    closer: Option<char>,
}

/// The text up to the next seam.
#[derive(Default)]
struct Segment {
    end: usize,
    /// The last `@` in it.
    last_at: Option<usize>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(text: &'a str, seams: &'a [usize]) -> Self {
        Self { text, seams, at: 0, segment: Segment::default(), host: None, closer: None }
    }

    fn search(&mut self) -> Option<Range<usize>> {
        if let Some(host) = self.host.take() {
            return self.query(host);
        }
        let start = self.at;
        let next = token(self.text, start)?;
        self.at = next.end;
        if next.what != ':' {
            self.closer = self.closer.filter(|_| !ends_word(next.what));
            return Some(start..start);
        }
        self.enter_segment(start);
        match Scheme::at(self.text, start, next) {
            Some(scheme) => self.url(&scheme),
            None => Some(self.field(start, next.end).unwrap_or(start..start)),
        }
    }

    fn enter_segment(&mut self, at: usize) {
        if at < self.segment.end {
            return;
        }
        let behind = self.seams.partition_point(|seam| *seam <= at);
        self.seams = &self.seams[behind..];
        let end = self.seams.first().copied().unwrap_or(self.text.len());
        let last_at = tokens(&self.text[..end], at).filter(|(_, token)| token.what == '@').map(|(at, _)| at).last();
        self.segment = Segment { end, last_at };
        self.closer = None;
    }

    /// The secrets of a URL, the user and the password first.
    fn url(&mut self, scheme: &Scheme) -> Option<Range<usize>> {
        // A URL in the path of another one stands in the same bracket.
        self.closer = self.text[..scheme.start].chars().next_back().and_then(closer_of).or(self.closer);
        let from = scheme.end;
        self.at = from;
        let mut region = Region::new(&self.text[..self.segment.end], from);
        let next = region.read_to_scheme();
        let authority = match &next {
            Some(next) => classify(&self.text[..next.start], from, true),
            None => classify(&self.text[..self.segment.end], from, false),
        };
        region.read_on(next, authority == Authority::Password && self.segment.last_at.is_some_and(|at| at >= from));
        let Some(last) = region.user_info_end(authority) else {
            return match authority {
                Authority::Password => {
                    self.at = word_end(&self.text[..region.first_end], from);
                    Some(from..self.at)
                }
                _ => self.query(from),
            };
        };
        if region.is_ambiguous(authority, last) {
            self.at = self.query_end(last);
            return Some(from..self.at);
        }
        self.at = last;
        self.host = token(self.text, last).map(|at| at.end);
        Some(from..last)
    }

    /// The query and the fragment of a URL whose host begins at a place.
    fn query(&mut self, host: usize) -> Option<Range<usize>> {
        self.at = host;
        let mut region = Region::new(&self.text[..self.segment.end], host);
        region.read_to_scheme();
        let Some(query) = region.query else { return Some(host..host) };
        self.at = self.query_end(query);
        Some(query..self.at)
    }

    /// Where the query ends that contains a place: at the last closing bracket or quote if the URL stands in one, for what is in
    /// the query is not known; or else nowhere.
    fn query_end(&self, from: usize) -> usize {
        let rest = &self.text[from..self.segment.end];
        match self.closer.and_then(|closer| rest.rfind(closer)) {
            Some(end) => from + rest[..end].trim_end_matches('\\').len(),
            None => self.segment.end,
        }
    }

    /// The value of a field of a `Debug`: `password: Some("secret")`.
    fn field(&self, colon: usize, value: usize) -> Option<Range<usize>> {
        const ALWAYS: [&str; 2] = ["username", "password"];
        /// With `Some`, or every SQL statement in a field `query` would be one.
        const OPTIONAL: [&str; 2] = ["query", "fragment"];
        let before = &self.text[..colon];
        let name = ALWAYS.iter().chain(&OPTIONAL).find(|name| ends_with_word(before, name))?;
        let value = skip_space(self.text, value);
        let some = self.text[value..].strip_prefix("Some(").map(|_| skip_space(self.text, value + "Some(".len()));
        let quote = some.or_else(|| ALWAYS.contains(name).then_some(value))?;
        let rest = &self.text[quote..];
        let escapes = rest.len() - rest.trim_start_matches('\\').len();
        let start = quote + escapes + 1;
        rest[escapes..].starts_with('"').then(|| start..string_end(self.text, start, escapes))
    }
}

impl Iterator for Secrets<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let found = self.search()?;
            self.at = self.at.max(found.end);
            if !found.is_empty() {
                return Some(found);
            }
        }
    }
}

/// A scheme with what stands behind it up to the host: `https://`.
struct Scheme {
    start: usize,
    end: usize,
    /// Whether it begins where a word does, so that it is hardly part of a password.
    is_bound: bool,
}

impl Scheme {
    /// The scheme that ends with the colon at a place.
    fn at(text: &str, start: usize, colon: Token) -> Option<Self> {
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let name = &text[text[..start].trim_end_matches(in_scheme).len()..start];
        let is_special = ["http", "https", "ws", "wss", "ftp"].iter().any(|special| name.eq_ignore_ascii_case(special));
        let (mut end, mut slashes) = (colon.end, 0_usize);
        while let Some(next) = token(text, end) {
            match next.what {
                '/' => slashes += 1,
                // As browsers, and the crate `url`, read it.
                '\\' if is_special => slashes += next.end - end,
                _ => break,
            }
            end = next.end;
        }
        // One slash is what is left where a proxy has merged the two.
        let start = start - name.len();
        let before = text[..start].chars().next_back();
        let is_bound =
            before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '@' | '!' | '$' | '%' | '*' | '_' | '~' | '^'));
        (slashes >= 2 || slashes == 1 && is_special).then_some(Self { start, end, is_bound })
    }
}

fn closer_of(opener: char) -> Option<char> {
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

/// What may belong to one URL, and what stands out in it.
struct Region<'a> {
    text: &'a str,
    at: usize,
    /// Where the first other scheme begins, or the end.
    first_end: usize,
    /// What follows the first `?` or `#` that begins a query or a fragment.
    query: Option<usize>,
    /// The first `?` or `#`, whatever it is.
    mark: Option<usize>,
    ats: usize,
    ats_before_mark: usize,
    last_at: Option<usize>,
    /// The last `@` that ends a user name and a password in words after the first: `my user:secret@`.
    credentials: Option<usize>,
    /// Whether there is an `@` in the first word.
    word_has_at: bool,
    is_first_word: bool,
    is_first_item: bool,
    /// Whether a colon in a later item has something directly behind it, in this item and in any.
    item_has_colon: bool,
    any_has_colon: bool,
}

impl<'a> Region<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at,
            first_end: text.len(),
            query: None,
            mark: None,
            ats: 0,
            ats_before_mark: 0,
            last_at: None,
            credentials: None,
            word_has_at: false,
            is_first_word: true,
            is_first_item: true,
            item_has_colon: false,
            any_has_colon: false,
        }
    }

    /// Reads up to the next scheme.
    fn read_to_scheme(&mut self) -> Option<Scheme> {
        while let Some(next) = token(self.text, self.at) {
            let start = self.at;
            if next.what == ':' {
                if let Some(scheme) = Scheme::at(self.text, start, next) {
                    self.at = scheme.end;
                    return Some(scheme);
                }
            }
            self.at = next.end;
            self.read(start, next);
        }
        None
    }

    fn read(&mut self, start: usize, Token { what, end }: Token) {
        match what {
            '?' | '#' => {
                self.mark.get_or_insert(start);
                if self.is_first_word || begins_query(self.text, what, end) {
                    self.query.get_or_insert(end);
                }
            }
            '@' => {
                self.ats += 1;
                self.ats_before_mark += usize::from(self.mark.is_none());
                self.last_at = Some(start);
                self.word_has_at |= self.is_first_word && self.mark.is_none();
                if self.item_has_colon {
                    self.credentials = self.last_at;
                }
            }
            ':' if !self.is_first_item && token(self.text, end).is_some_and(|next| !matches!(next.what, ' ' | '/')) => {
                (self.item_has_colon, self.any_has_colon) = (true, true);
            }
            ' ' | ',' | ';' => {
                (self.is_first_item, self.item_has_colon) = (false, false);
                self.is_first_word &= !ends_word(what);
            }
            _ => self.is_first_word &= !ends_word(what),
        }
    }

    /// Reads on behind the first other scheme: past those that may be in a password, and, for a password, to the `@` that ends it.
    fn read_on(&mut self, first: Option<Scheme>, needs_at: bool) {
        let Some(mut scheme) = first else { return };
        self.first_end = scheme.start;
        while !scheme.is_bound || needs_at && self.last_at.is_none() {
            let Some(next) = self.read_to_scheme() else { return };
            scheme = next;
        }
    }

    /// The `@` up to which there may be a user and a password.
    fn user_info_end(&self, authority: Authority) -> Option<usize> {
        match authority {
            Authority::Ambiguous | Authority::Password => self.last_at,
            Authority::Name => self.last_at.filter(|_| self.word_has_at || self.any_has_colon),
            Authority::Host => self.credentials,
        }
    }

    /// Whether what follows the last `@` may be part of a query.
    fn is_ambiguous(&self, authority: Authority, last: usize) -> bool {
        let is_password = authority == Authority::Password && self.ats == 1 && self.ats_before_mark == 0;
        self.mark.is_some_and(|mark| mark < last) && !is_password
    }
}

/// Whether a `?` or `#` in a later word than the URL begins a query, for the path may have a space in it, and not a question
/// or the number of an issue.
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
    !ends_sentence && !(mark == '#' && is_number)
}

fn ends_word(c: char) -> bool {
    matches!(c, ' ' | '"' | '\'' | '`' | '<' | '>')
}

/// Where the word ends that begins at a place.
fn word_end(text: &str, from: usize) -> usize {
    let ends = |c: char| ends_word(c) || matches!(c, ')' | ']' | '}');
    let end = tokens(text, from).find(|(_, token)| ends(token.what)).map_or(text.len(), |(at, _)| at);
    // Punctuation of the sentence.
    from + text[from..end].trim_end_matches([':', ',', ';', '.']).len()
}

fn tokens(text: &str, from: usize) -> impl Iterator<Item = (usize, Token)> {
    let mut at = from;
    core::iter::from_fn(move || {
        let token = token(text, at)?;
        Some((core::mem::replace(&mut at, token.end), token))
    })
}

fn skip_space(text: &str, from: usize) -> usize {
    tokens(text, from).find(|(_, token)| token.what != ' ').map_or(text.len(), |(at, _)| at)
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Where the string ends whose quotes are escaped with this many backslashes. Quotes inside of it have more.
fn string_end(text: &str, from: usize, escapes: usize) -> usize {
    let mut run = 0;
    for (place, byte) in text[from..].bytes().enumerate() {
        match byte {
            b'\\' => run += 1,
            b'"' if run == escapes => return from + place - run,
            _ => run = 0,
        }
    }
    text.len()
}
