//! The search for secrets in a text.

use core::ops::Range;

use super::authority::{Authority, classify};
use super::collected::Seam;
use super::token::{Token, before, token};

/// The ranges of a text that hold secrets, ascending. Each part of the text is looked at a bounded number of times.
///
/// Where a text can be read in two ways, what is secret in one of them is hidden.
pub(super) struct Secrets<'a> {
    text: &'a str,
    seams: &'a [Seam],
    at: usize,
    segment: Segment,
    /// Where the host of a URL begins whose user and password were hidden just now.
    host: Option<usize>,
    /// A query that begins further on.
    query: Option<Range<usize>>,
    /// Up to where there is no `@`.
    clear: usize,
    /// What closes the bracket or the quote that the last URL stands in.
    closer: Option<char>,
}

/// The text up to the next seam.
#[derive(Default)]
struct Segment {
    end: usize,
    /// Whether its end is that of its last URL.
    ends_url: bool,
    /// The last `@` in it.
    last_at: Option<usize>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(text: &'a str, seams: &'a [Seam]) -> Self {
        Self { text, seams, at: 0, segment: Segment::default(), host: None, query: None, clear: 0, closer: None }
    }

    fn search(&mut self) -> Option<Range<usize>> {
        if let Some(host) = self.host.take() {
            self.find_query(host);
        }
        if let Some(query) = self.query.take_if(|query| query.start <= self.at) {
            return Some(self.at..query.end.max(self.at));
        }
        let start = self.at;
        let next = token(self.text, start)?;
        self.at = next.end;
        if next.what != ':' {
            self.closer = self.closer.filter(|closer| !ends_word(next.what) && next.what != *closer);
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
        let behind = self.seams.partition_point(|seam| seam.at <= at);
        self.seams = &self.seams[behind..];
        let seam = self.seams.first().copied();
        let Seam { at: end, after_url: ends_url } = seam.unwrap_or(Seam { at: self.text.len(), after_url: false });
        let last_at = tokens(&self.text[..end], at).filter(|(_, token)| token.what == '@').map(|(at, _)| at).last();
        self.segment = Segment { end, ends_url, last_at };
        self.closer = None;
    }

    /// The secrets of a URL, the user and the password first.
    fn url(&mut self, scheme: &Scheme) -> Option<Range<usize>> {
        // A URL in the path of another one stands in the same bracket.
        self.closer = self.text[..scheme.start].chars().next_back().and_then(closer_of).or(self.closer);
        let from = scheme.end;
        self.at = from;
        let mut region = Region::new(&self.text[..self.segment.end], from, scheme.percent);
        let next = region.read_to_scheme();
        let authority = classify(&self.text[..region.first_end], from, scheme.percent, next.is_some());
        self.read_on(&mut region, next, authority);
        let Some(last) = region.user_info_end(authority) else {
            self.host = Some(from);
            if authority != Authority::Password {
                return Some(from..from);
            }
            let end = word_end(&self.text[..region.first_end], from);
            return Some(from..region.query.filter(|query| *query <= end).map_or(end, |query| self.query_end(query)));
        };
        if region.is_ambiguous(last) {
            return Some(from..self.query_end(from));
        }
        // Another URL is hidden too: what follows need not stand in the same bracket.
        self.closer = self.closer.filter(|_| last <= region.first_end);
        self.host = token(self.text, last).map(|at| at.end);
        Some(from..last)
    }

    /// Reads on behind the next scheme: past those that may be in a password, and, for what can only be a password, to the `@` that
    /// ends it.
    fn read_on(&mut self, region: &mut Region<'_>, next: Option<Scheme>, authority: Authority) {
        let needs_at = match authority {
            Authority::Host => return,
            Authority::Name if !region.any_has_colon => return,
            Authority::Ambiguous => false,
            Authority::Name | Authority::Password => true,
        };
        let (mut next, mut host) = (next, Host { after: None, is_password: needs_at });
        while let Some(scheme) = next.take() {
            host.update(region, scheme.start);
            let has_at = self.segment.last_at.is_some_and(|at| at >= region.at);
            // What is encoded more often than this URL is part of it.
            let is_bound = scheme.is_bound && scheme.percent <= region.percent;
            let is_over = is_bound || region.at < self.clear;
            if !has_at || is_over && !host.is_password {
                break;
            }
            next = region.read_to_scheme();
        }
        if region.last_at().is_none() {
            self.clear = self.clear.max(region.at);
        }
    }

    /// Finds the query and the fragment of a URL whose host begins at a place.
    fn find_query(&mut self, host: usize) {
        let mut region = Region::new(&self.text[..self.segment.end], host, 0);
        region.read_to_scheme();
        self.query = region.query.map(|query| query..self.query_end(query));
    }

    /// Where the query ends that contains a place. What is in it is not known, so it ends at the last closing bracket or quote if the
    /// URL stands in one, and otherwise with the segment; also where another URL follows, which may contain that bracket itself.
    fn query_end(&self, from: usize) -> usize {
        let segment = &self.text[..self.segment.end];
        let is_closed = || !self.segment.ends_url && Region::new(segment, from, 0).read_to_scheme().is_none();
        match self.closer.filter(|_| is_closed()).and_then(|closer| segment[from..].rfind(closer)) {
            Some(end) => from + segment[from..from + end].trim_end_matches('\\').len(),
            None => segment.len(),
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
    /// That of its colon.
    percent: usize,
    /// Whether it begins where a word does, so that it is hardly part of a password.
    is_bound: bool,
}

impl Scheme {
    /// The scheme that ends with the colon at a place.
    fn at(text: &str, start: usize, colon: Token) -> Option<Self> {
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let begin = text[..start].trim_end_matches(in_scheme).len();
        let before = before(text, begin);
        let (begin, before) = match token(text, begin.saturating_sub(1)) {
            // The first letters and digits belong to an escape: `%2Fhttps`, `\nhttps`.
            Some(escape) if begin > 0 && escape.end > begin => (escape.end.min(start), Some(escape.what)),
            _ => (begin, before),
        };
        let name = &text[begin..start];
        let is_special = ["http", "https", "ws", "wss", "ftp"].iter().any(|special| name.eq_ignore_ascii_case(special));
        let (mut end, mut slashes, mut is_alike) = (colon.end, 0_usize, true);
        while let Some(next) = token(text, end) {
            match next.what {
                '/' => slashes += 1,
                // As browsers, and the crate `url`, read it.
                '\\' if is_special => slashes += next.end - end,
                _ => break,
            }
            is_alike &= next.percent == colon.percent;
            end = next.end;
        }
        let in_password = |c: char| c.is_alphanumeric() || matches!(c, '@' | '!' | '$' | '%' | '*' | '_' | '~' | '^');
        let is_named = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_bound = is_named && is_alike && !before.is_some_and(in_password);
        // One slash is what is left where a proxy has merged the two.
        let is_scheme = slashes >= 2 || slashes == 1 && is_special;
        is_scheme.then_some(Self { start: begin, end, percent: colon.percent, is_bound })
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

/// What follows the last `@` so far. If that is a password again, the `@` is part of a password.
struct Host {
    after: Option<usize>,
    is_password: bool,
}

impl Host {
    fn update(&mut self, region: &Region<'_>, end: usize) {
        let last = region.last_at();
        if last == self.after {
            return;
        }
        self.after = last;
        let host = last.and_then(|last| token(region.text, last)).map_or(end, |at| at.end.min(end));
        self.is_password = classify(&region.text[..end], host, region.percent, true) == Authority::Password;
    }
}

/// What may belong to one URL, and what stands out in it.
struct Region<'a> {
    text: &'a str,
    at: usize,
    /// Where the first other scheme begins, or the end.
    first_end: usize,
    percent: usize,
    /// What follows the first `?` or `#` that begins a query or a fragment.
    query: Option<usize>,
    /// The first `?` or `#`, whatever it is.
    mark: Option<usize>,
    encoded_mark: Option<usize>,
    last_at: Option<usize>,
    /// The last one that is encoded, which counts only if there is no other.
    last_encoded_at: Option<usize>,
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
    fn new(text: &'a str, at: usize, percent: usize) -> Self {
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

    /// Reads up to the next scheme.
    fn read_to_scheme(&mut self) -> Option<Scheme> {
        let from = self.at;
        while let Some(next) = token(self.text, self.at) {
            let start = self.at;
            if next.what == ':' {
                if let Some(scheme) = Scheme::at(self.text, start, next) {
                    self.at = scheme.end;
                    self.first_end = self.first_end.min(scheme.start.max(from));
                    return Some(scheme);
                }
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

    fn last_at(&self) -> Option<usize> {
        self.last_at.or(self.last_encoded_at)
    }

    /// The `@` up to which there may be a user and a password.
    fn user_info_end(&self, authority: Authority) -> Option<usize> {
        match authority {
            Authority::Ambiguous | Authority::Password => self.last_at(),
            Authority::Name => self.last_at().filter(|_| self.word_has_at || self.any_has_colon),
            Authority::Host => self.credentials,
        }
    }

    /// Whether what follows the last `@` may be part of a query: it is not known whether the `?` is part of a password.
    fn is_ambiguous(&self, last: usize) -> bool {
        let encoded_mark = self.encoded_mark.filter(|_| self.last_at.is_none());
        self.mark.into_iter().chain(encoded_mark).any(|mark| mark < last)
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
    matches!(c, ' ' | '"' | '`' | '<' | '>')
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

/// Where the string of a `Debug` ends whose quotes are escaped with this many backslashes: 0, or 1 inside of another string, or 3 …
/// A backslash and a quote in it are escaped once more, so whatever the string ends with, the remainder tells its end.
fn string_end(text: &str, from: usize, escapes: usize) -> usize {
    let mut run = 0;
    for (place, byte) in text[from..].bytes().enumerate() {
        match byte {
            b'\\' => run += 1,
            b'"' if run % (2 * (escapes + 1)) == escapes => return from + place - escapes,
            _ => run = 0,
        }
    }
    text.len()
}
