//! Readers for values that are data: one for each kind, so that every value of the wrong kind gets the same message.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use retry_spec::key::Kind;
use retry_spec::keywords::{
    self, BeyondRetryAfter, Events, IGNORE_KEYWORD, Jitter, Nested, UNLIMITED_KEYWORD, WithinRetryAfter,
};
use retry_spec::{duration, number};
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Error, Expr, ExprLit, ExprPath, Lit, LitInt, LitStr, Result, Token};

use super::model::{Attempts, Backoff, Delays, Given, RetryAfter};
use super::scan::{Simple, here, list, value_ends};

pub(crate) fn attempts(input: ParseStream) -> Result<Attempts> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => number_of_attempts(span, &number).map(Attempts::Number),
        Simple::Literal(Lit::Str(text)) if text.value() == UNLIMITED_KEYWORD => Ok(Attempts::Unlimited),
        Simple::Literal(Lit::Str(text)) if text.value().parse::<u32>().is_ok() => {
            let right = format!("write it without quotes: `attempts = {}`", text.value());
            Err(Error::new(span, right))
        }
        Simple::Path(path) => unquoted("attempts", &path, &[UNLIMITED_KEYWORD]).map(|()| Attempts::Path(path)),
        other => expected_constant(input, span, Kind::Attempts, &other),
    }
}

fn number_of_attempts(span: Span, digits: &LitInt) -> Result<u32> {
    if !matches!(digits.suffix(), "" | "u32") {
        return Err(Error::new(span, format_args!("`attempts` is a `u32`: write `{}`", digits.base10_digits())));
    }
    number::attempts(integer(digits)).map_err(|message| Error::new(span, message))
}

/// The value of a literal. A literal that is too large is the largest `i128`.
fn integer(literal: &LitInt) -> i128 {
    number::integer(literal.base10_digits()).unwrap_or(i128::MAX)
}

pub(crate) fn backoff(input: ParseStream) -> Result<Backoff> {
    let span = here(input);
    if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        return input.parse().map(Backoff::Closure);
    }
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(word)) => at(&word, keywords::Backoff::read(&word.value())).map(Backoff::Keyword),
        Simple::Path(path) => unquoted("backoff", &path, keywords::Backoff::KEYWORDS).map(|()| Backoff::Function(path)),
        _ => expected(span, Kind::Backoff.expected()),
    }
}

pub(crate) fn duration(input: ParseStream) -> Result<Given<Duration>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => at(&text, duration::parse(&text.value())).map(Given::Literal),
        Simple::Literal(Lit::Int(number)) => Err(number_for_duration(span, number.base10_digits(), number.suffix())),
        Simple::Literal(Lit::Float(number)) => Err(number_for_duration(span, number.base10_digits(), number.suffix())),
        Simple::Path(path) => Ok(Given::Path(path)),
        other => match duration_call(input) {
            Some(text) => Err(Error::new(span, format_args!("write it as a string: `\"{text}\"`"))),
            None => expected_constant(input, span, Kind::Duration, &other),
        },
    }
}

/// Translates `Duration::from_secs(1)` to `1s`.
fn duration_call(input: ParseStream) -> Option<String> {
    let Ok(Expr::Call(call)) = input.fork().parse() else {
        return None;
    };
    let (Expr::Path(function), 1, Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. }))) =
        (&*call.func, call.args.len(), call.args.first())
    else {
        return None;
    };
    let unit = match function.path.segments.last()?.ident.to_string().as_str() {
        "from_nanos" => "ns",
        "from_micros" => "us",
        "from_millis" => "ms",
        "from_secs" => "s",
        "from_mins" => "m",
        "from_hours" => "h",
        _ => return None,
    };
    Some(format!("{}{unit}", number.base10_digits()))
}

fn number_for_duration(span: Span, digits: &str, suffix: &str) -> Error {
    let message = if suffix.is_empty() {
        duration::without_unit(digits)
    } else {
        format!("write it with quotes: `\"{digits}{suffix}\"`")
    };
    Error::new(span, message)
}

pub(crate) fn delays(input: ParseStream) -> Result<Delays> {
    let span = here(input);
    if input.peek(syn::token::Bracket) {
        return list(input, |element| {
            let span = here(element);
            Ok((duration(element)?, span))
        })
        .map(Delays::List);
    }
    match Simple::read(input, value_ends) {
        Simple::Path(path) => Ok(Delays::Path(path)),
        _ => expected(span, Kind::Durations.expected()),
    }
}

pub(crate) fn number(input: ParseStream) -> Result<Given<f64>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => float(span, number.base10_digits(), number.suffix()),
        Simple::Literal(Lit::Float(number)) => float(span, number.base10_digits(), number.suffix()),
        Simple::Literal(Lit::Str(text)) if text.value().parse::<f64>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `{}`", text.value())))
        }
        Simple::Path(path) => Ok(Given::Path(path)),
        other => expected_constant(input, span, Kind::Number, &other),
    }
}

fn float(span: Span, digits: &str, suffix: &str) -> Result<Given<f64>> {
    if !matches!(suffix, "" | "f64") {
        return Err(Error::new(span, format_args!("this is an `f64`: write `{digits}`")));
    }
    digits.parse().map(Given::Literal).map_err(|error| Error::new(span, error))
}

pub(crate) fn jitter(input: ParseStream) -> Result<Jitter> {
    let span = here(input);
    let found = match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => return at(&text, Jitter::read(&text.value())),
        other => other,
    };
    if let Some(percent) = fraction(&found) {
        return Err(Error::new(span, format_args!("a share is a percentage: write `\"{percent}%\"`")));
    }
    if let Simple::Path(path) = found {
        unquoted("jitter", &path, Jitter::KEYWORDS)?;
    }
    expected(span, Kind::Jitter.expected())
}

/// The percentage that `0.5` stands for.
fn fraction(found: &Simple) -> Option<f64> {
    let share: f64 = match found {
        Simple::Literal(Lit::Float(number)) => number.base10_parse().ok()?,
        _ => return None,
    };
    // Rounded, because 0.07 · 100 is not exactly 7 in binary.
    (share > 0.0 && share <= 1.0).then_some((share * 1e6).round() / 1e4)
}

pub(crate) fn retry_after(input: ParseStream) -> Result<RetryAfter> {
    let span = here(input);
    let ahead = input.fork();
    match Simple::read(&ahead, value_ends) {
        Simple::Literal(Lit::Str(text)) if text.value() == IGNORE_KEYWORD => {
            input.advance_to(&ahead);
            return Ok(RetryAfter::Ignore);
        }
        Simple::Literal(Lit::Str(text)) if ["none", "never", "off"].contains(&text.value().as_str()) => {
            return Err(Error::new(
                span,
                "to wait as the policy says, whatever the server asks for, write `\"ignore\"`",
            ));
        }
        Simple::Path(path) => unquoted("retry_after", &path, &[IGNORE_KEYWORD])?,
        Simple::Literal(Lit::Str(_) | Lit::Int(_) | Lit::Float(_)) => {}
        _ => {
            return expected(span, Kind::RetryAfter.expected());
        }
    }
    duration(input).map(RetryAfter::AtMost)
}

pub(crate) fn within_retry_after(input: ParseStream) -> Result<WithinRetryAfter> {
    let words = WithinRetryAfter::KEYWORDS;
    keyword(input, "within_retry_after", words, WithinRetryAfter::read, Kind::WithinRetryAfter)
}

pub(crate) fn beyond_retry_after(input: ParseStream) -> Result<BeyondRetryAfter> {
    let words = BeyondRetryAfter::KEYWORDS;
    keyword(input, "beyond_retry_after", words, BeyondRetryAfter::read, Kind::BeyondRetryAfter)
}

pub(crate) fn bytes(input: ParseStream) -> Result<Given<usize>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => number_of_bytes(span, &number).map(Given::Literal),
        Simple::Literal(Lit::Str(text)) => match number::bytes_with_unit(&text.value()) {
            Some(bytes) => Err(Error::new(span, number::write_bytes(bytes))),
            None => expected(span, Kind::Bytes.expected()),
        },
        Simple::Path(path) => Ok(Given::Path(path)),
        other => expected_constant(input, span, Kind::Bytes, &other),
    }
}

fn number_of_bytes(span: Span, literal: &LitInt) -> Result<usize> {
    let (digits, suffix) = (literal.base10_digits(), literal.suffix());
    let message = if suffix.is_empty() {
        match number::drain_limit(integer(literal), "`drain_limit = usize::MAX`") {
            Ok(bytes) => return Ok(bytes),
            Err(message) => message,
        }
    } else {
        let bytes = number::bytes_with_unit(&format!("{digits}{suffix}"));
        bytes.map_or_else(|| format!("write it without a suffix: `{digits}`"), number::write_bytes)
    };
    Err(Error::new(span, message))
}

pub(crate) fn copies(input: ParseStream) -> Result<Given<u32>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => number_of_copies(span, &number).map(Given::Literal),
        Simple::Literal(Lit::Str(text)) if text.value().parse::<u32>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `hedge_max = {}`", text.value())))
        }
        Simple::Path(path) => Ok(Given::Path(path)),
        other => expected_constant(input, span, Kind::Copies, &other),
    }
}

fn number_of_copies(span: Span, literal: &LitInt) -> Result<u32> {
    if !matches!(literal.suffix(), "" | "u32") {
        let digits = literal.base10_digits();
        return Err(Error::new(span, format_args!("`hedge_max` is a `u32`: write `{digits}`")));
    }
    number::hedge_max(integer(literal)).map_err(|message| Error::new(span, message))
}

pub(crate) fn nested(input: ParseStream) -> Result<Nested> {
    keyword(input, "nested", Nested::KEYWORDS, Nested::read, Kind::Nested)
}

pub(crate) fn events(input: ParseStream) -> Result<Events> {
    keyword(input, "events", Events::KEYWORDS, Events::read, Kind::Events)
}

/// A value that is always a keyword.
fn keyword<T>(
    input: ParseStream,
    name: &str,
    keywords: &[&str],
    read: fn(&str) -> std::result::Result<T, String>,
    kind: Kind,
) -> Result<T> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(word)) => return at(&word, read(&word.value())),
        Simple::Path(path) => unquoted(name, &path, keywords)?,
        _ => {}
    }
    expected(span, kind.expected())
}

pub(crate) fn text(input: ParseStream) -> Result<Given<LitStr>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => Ok(Given::Literal(text)),
        Simple::Path(path) => Ok(Given::Path(path)),
        _ => expected(span, Kind::Text.expected()),
    }
}

/// The name, if the path is a single one.
pub(super) fn name(path: &ExprPath) -> Option<&Ident> {
    path.path.get_ident().filter(|_| path.qself.is_none())
}

/// Reports a word without quotes. Without them it looks like the path of a constant.
pub(super) fn unquoted(key: &str, path: &ExprPath, keywords: &[&str]) -> Result<()> {
    match name(path) {
        Some(ident) if keywords.iter().any(|keyword| ident == keyword) => {
            let right = format!("write it with quotes: `{key} = \"{ident}\"`");
            Err(Error::new(ident.span(), right))
        }
        _ => Ok(()),
    }
}

/// Adds the position to the message.
pub(super) fn at<T>(literal: &LitStr, read: std::result::Result<T, String>) -> Result<T> {
    read.map_err(|message| Error::new(literal.span(), message))
}

/// Reports an expression where a constant is expected, and names the argument for values that are known only at run time.
fn expected_constant<T>(input: ParseStream, span: Span, kind: Kind, found: &Simple) -> Result<T> {
    let what = kind.expected();
    match found {
        Simple::Literal(_) => expected(span, what),
        _ if input.peek(syn::token::Bracket) => expected(span, what),
        _ => expected(span, &format!("{what}; use `policy` for a value that is known only at run time")),
    }
}

pub(super) fn expected<T>(span: Span, what: &str) -> Result<T> {
    Err(Error::new(span, format_args!("expected {what}")))
}

#[cfg(test)]
mod tests;
