//! The search for secrets in a text.

use core::ops::Range;

use super::authority::{Authority, classify};
use super::collected::Seam;
use super::region::Region;
use super::scheme::{Scheme, closer_of};
use super::token::ends_word;
use super::token::{token, tokens};

/// An iterator over the ranges of a text that hold secrets, in ascending order. Reads each part of the text a bounded
/// number of times.
///
/// If a text can be interpreted in two ways, it yields everything that is secret in either of them.
pub(super) struct Secrets<'a> {
    text: &'a str,
    seams: &'a [Seam],
    at: usize,
    segment: Segment,
    /// The beginning of a host whose query is searched next.
    host: Option<usize>,
    /// A query that has been found and begins further on.
    query: Option<Range<usize>>,
    /// The end of the text that is known to contain no `@`.
    clear: usize,
    /// The character that closes the bracket or the quote around the last URL.
    closer: Option<char>,
}

/// The text up to the next seam.
#[derive(Default)]
struct Segment {
    end: usize,
    /// True if a URL ends at the end of the segment.
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
        if !matches!(next.what, ':' | '/') {
            self.closer = self.closer.filter(|closer| !ends_word(next.what) && next.what != *closer);
            return Some(start..start);
        }
        self.enter_segment(start);
        match Scheme::at(self.text, start, next) {
            Some(scheme) => self.url(&scheme),
            None if next.what == ':' => Some(self.field(start, next.end).unwrap_or(start..start)),
            None => Some(start..start),
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

    /// The first secret of a URL: the user name and the password. The query is found by a later search, from `host`.
    fn url(&mut self, scheme: &Scheme) -> Option<Range<usize>> {
        // Without an opening bracket before it, the URL may be in the path of another one, and in the same bracket as that.
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
        // If another URL is masked too, the text behind it need not be in the same bracket.
        self.closer = self.closer.filter(|_| last <= region.first_end);
        self.host = token(self.text, last).map(|at| at.end);
        Some(from..last)
    }

    /// Reads on behind the next scheme: past every scheme that may be part of a password, and, for text that can only be
    /// a password, up to the `@` that ends it.
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
            // A scheme that is percent-encoded more often than this URL is part of this URL.
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

    /// Finds the query and the fragment of a URL whose host begins at `host`.
    fn find_query(&mut self, host: usize) {
        let mut region = Region::new(&self.text[..self.segment.end], host, 0);
        region.read_to_scheme();
        self.query = region.query.map(|query| query..self.query_end(query));
    }

    /// The end of the query that contains `from`. A query may contain anything, so it ends at the last closing bracket or
    /// quote if the URL is enclosed in one, and with the segment otherwise. It also ends with the segment if another URL
    /// follows, because that one may contain the bracket itself.
    fn query_end(&self, from: usize) -> usize {
        let segment = &self.text[..self.segment.end];
        let is_closed = || !self.segment.ends_url && Region::new(segment, from, 0).read_to_scheme().is_none();
        match self.closer.filter(|_| is_closed()).and_then(|closer| segment[from..].rfind(closer)) {
            Some(end) => from + segment[from..from + end].trim_end_matches('\\').len(),
            None => segment.len(),
        }
    }

    /// The value of a field in `Debug` output: `password: Some("secret")`.
    fn field(&self, colon: usize, value: usize) -> Option<Range<usize>> {
        const ALWAYS: [&str; 2] = ["username", "password"];
        /// Secret only inside `Some`, as in a parsed URL. Otherwise every SQL statement in a field named `query` would be
        /// masked.
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

/// The text behind the last `@` so far. If that text is a password too, the `@` is part of a password and does not end it.
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

/// The end of the word that begins at `from`.
fn word_end(text: &str, from: usize) -> usize {
    let ends = |c: char| ends_word(c) || matches!(c, ')' | ']' | '}');
    let end = tokens(text, from).find(|(_, token)| ends(token.what)).map_or(text.len(), |(at, _)| at);
    // Leaves out the punctuation of the sentence around it.
    from + text[from..end].trim_end_matches([':', ',', ';', '.']).len()
}

fn skip_space(text: &str, from: usize) -> usize {
    tokens(text, from).find(|(_, token)| token.what != ' ').map_or(text.len(), |(at, _)| at)
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The end of a string in `Debug` output whose quotes are escaped with `escapes` backslashes: 0, or 1 inside another
/// string, 3 inside two, and so on. Backslashes and quotes in the string itself are escaped once more. So the remainder
/// of the number of backslashes before a quote shows whether the quote ends the string, even if the string ends with
/// backslashes.
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
