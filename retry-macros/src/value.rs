//! One small reader for each kind of value, so that a value of the wrong kind gets one uniform message.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use retry_spec::keywords::{self, BACKOFFS, JITTERS, NESTED};
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Error, Expr, ExprLit, ExprPath, Lit, LitInt, LitStr, Path, Result};

use crate::arguments::{Attempts, Backoff, Delays, Given, Jitter, Nested, OnError, RetryAfter};
use crate::duration::parse as parse_duration;
use crate::scan::{Simple, here, list, value_ends};
use crate::suggest::suggest_quoted;

const ON_ERRORS: [&str; 3] = ["any", "transient", "never"];

const DURATION: &str = "a duration such as `\"250ms\"` or the path of a constant";
const ON_ERROR: &str = "the path of a function or a closure such as `|error| error.is_timeout()`";
const ON_OK: &str = "the path of a function or a closure such as `|value| value.is_empty()`";
const SERVER_DELAY: &str = "the path of a function or a closure such as `|value| value.wait`";
const BYTES: &str = "a number of bytes such as `65536` or the path of a constant";

pub(crate) fn attempts(input: ParseStream) -> Result<Attempts> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => number_of_attempts(span, &number).map(Attempts::Number),
        Simple::Literal(Lit::Str(text)) if text.value() == "unlimited" => Ok(Attempts::Unlimited),
        Simple::Literal(Lit::Str(text)) if text.value().parse::<u32>().is_ok() => {
            let right = format!("write it without quotes: `attempts = {}`", text.value());
            Err(Error::new(span, right))
        }
        Simple::Path(path) => unquoted("attempts", &path, &["unlimited"]).map(|()| Attempts::Path(path)),
        other => {
            expected_constant(input, span, "an integer such as `3`, `\"unlimited\"`, or the path of a constant", &other)
        }
    }
}

fn number_of_attempts(span: Span, number: &LitInt) -> Result<u32> {
    let digits = number.base10_digits();
    let error = |message: String| Err(Error::new(span, message));
    if !matches!(number.suffix(), "" | "u32") {
        return error(format!("`attempts` is a `u32`: write `{digits}`"));
    }
    if digits.starts_with('-') || digits == "0" {
        return error("`attempts` counts the first call too: it must be at least 1".to_owned());
    }
    match number.base10_parse() {
        Ok(attempts) => Ok(attempts),
        Err(_) => error("this number does not fit in a `u32`: did you mean `\"unlimited\"`?".to_owned()),
    }
}

pub(crate) fn backoff(input: ParseStream) -> Result<Backoff> {
    let span = here(input);
    let keyword = match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => text,
        Simple::Path(path) => {
            return unquoted("backoff", &path, &BACKOFFS).map(|()| Backoff::Custom(path));
        }
        _ => {
            return expected(span, "a backoff such as `\"exponential\"` or the path of a function");
        }
    };
    Ok(match keyword.value().as_str() {
        "exponential" => Backoff::Exponential,
        "fixed" => Backoff::Fixed,
        "linear" => Backoff::Linear,
        "fibonacci" => Backoff::Fibonacci,
        "random" => Backoff::Random,
        "decorrelated" => Backoff::Decorrelated,
        "constant" => {
            return Err(Error::new(span, "unknown backoff `\"constant\"`: write `\"fixed\"`"));
        }
        _ => return unknown_word("backoff", &keyword, &BACKOFFS),
    })
}

pub(crate) fn duration(input: ParseStream) -> Result<Given<Duration>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => duration_in(&text).map(Given::Literal),
        Simple::Literal(Lit::Int(number)) => Err(number_for_duration(span, number.base10_digits(), number.suffix())),
        Simple::Literal(Lit::Float(number)) => Err(number_for_duration(span, number.base10_digits(), number.suffix())),
        Simple::Path(path) => Ok(Given::Path(path)),
        other => match duration_call(input) {
            Some(text) => Err(Error::new(span, format_args!("write it as a string: `\"{text}\"`"))),
            None => expected_constant(input, span, DURATION, &other),
        },
    }
}

/// `Duration::from_secs(1)` as it is written here: `1s`.
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

fn duration_in(text: &LitStr) -> Result<Duration> {
    parse_duration(&text.value()).map_err(|message| Error::new(text.span(), message))
}

fn number_for_duration(span: Span, digits: &str, suffix: &str) -> Error {
    let message = if suffix.is_empty() {
        format!("a duration has a unit and is quoted: write `\"{digits}s\"` or `\"{digits}ms\"`")
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
        _ => expected(span, "a list of durations such as `[\"1s\", \"5s\"]` or the path of a constant"),
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
        other => expected_constant(input, span, "a number such as `2` or `1.5`, or the path of a constant", &other),
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
    let keyword = match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => text,
        other => {
            if let Some(percent) = fraction(&other) {
                return Err(Error::new(span, format_args!("a share is written in per cent: write `\"{percent}%\"`")));
            }
            if let Simple::Path(path) = other {
                unquoted("jitter", &path, &JITTERS)?;
            }
            return expected(span, "`\"none\"`, `\"full\"`, `\"equal\"`, or a share such as `\"20%\"`");
        }
    };
    match keyword.value().as_str() {
        "none" => Ok(Jitter::None),
        "full" => Ok(Jitter::Full),
        "equal" => Ok(Jitter::Equal),
        text if text.ends_with('%') || text.parse::<f64>().is_ok() => {
            keywords::share(text).map(Jitter::Share).map_err(|message| Error::new(span, message))
        }
        _ => unknown_word("jitter", &keyword, &JITTERS),
    }
}

/// The per cent that `0.5` stands for.
fn fraction(found: &Simple) -> Option<f64> {
    let share: f64 = match found {
        Simple::Literal(Lit::Float(number)) => number.base10_parse().ok()?,
        _ => return None,
    };
    // Rounded, for 0.07 · 100 is not 7.
    (share > 0.0 && share <= 1.0).then_some((share * 1e6).round() / 1e4)
}

pub(crate) fn on_error(input: ParseStream) -> Result<OnError> {
    let span = here(input);
    let ahead = input.fork();
    match Simple::read(&ahead, value_ends) {
        Simple::Literal(Lit::Str(keyword)) => {
            input.advance_to(&ahead);
            match keyword.value().as_str() {
                "any" => Ok(OnError::Any),
                "transient" => Ok(OnError::Transient),
                "never" => Ok(OnError::Never),
                _ => unknown_word("condition", &keyword, &ON_ERRORS),
            }
        }
        Simple::Path(path) => {
            unquoted("on_error", &path, &ON_ERRORS)?;
            predicate(input, ON_ERROR).map(OnError::Predicate)
        }
        Simple::Literal(_) => expected(span, &format!("`\"any\"`, `\"transient\"`, `\"never\"`, or {ON_ERROR}")),
        Simple::Other => predicate(input, ON_ERROR).map(OnError::Predicate),
    }
}

pub(crate) fn on_ok(input: ParseStream) -> Result<Expr> {
    predicate(input, ON_OK)
}

fn predicate(input: ParseStream, kind: &str) -> Result<Expr> {
    let span = here(input);
    let found: Expr = input.parse()?;
    match bare(&found) {
        Expr::Path(_) | Expr::Closure(_) => Ok(found),
        _ => expected(span, kind),
    }
}

/// The expression inside parentheses, and inside the invisible ones that a `macro_rules!` variable brings.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => bare(&group.expr),
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}

pub(crate) fn retry_after(input: ParseStream) -> Result<RetryAfter> {
    let span = here(input);
    let ahead = input.fork();
    match Simple::read(&ahead, value_ends) {
        Simple::Literal(Lit::Str(text)) if text.value() == "ignore" => {
            input.advance_to(&ahead);
            return Ok(RetryAfter::Ignore);
        }
        Simple::Path(path) => unquoted("retry_after", &path, &["ignore"])?,
        Simple::Literal(Lit::Str(_) | Lit::Int(_) | Lit::Float(_)) => {}
        _ => {
            return expected(span, "a duration such as `\"250ms\"`, `\"ignore\"`, or the path of a constant");
        }
    }
    duration(input).map(RetryAfter::AtMost)
}

pub(crate) fn server_delay(input: ParseStream) -> Result<Expr> {
    match Simple::read(&input.fork(), value_ends) {
        Simple::Literal(Lit::Str(limit)) if parse_duration(&limit.value()).is_ok() => {
            let longest = format!("the longest delay to accept is `retry_after = \"{}\"`", limit.value());
            expected(limit.span(), &format!("{SERVER_DELAY}; {longest}"))
        }
        _ => predicate(input, SERVER_DELAY),
    }
}

pub(crate) fn bytes(input: ParseStream) -> Result<Given<usize>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => number_of_bytes(span, &number).map(Given::Literal),
        Simple::Literal(Lit::Str(text)) => match keywords::bytes(&text.value()) {
            Some(bytes) => Err(Error::new(span, in_bytes(bytes))),
            None => expected(span, BYTES),
        },
        Simple::Path(path) => Ok(Given::Path(path)),
        other => expected_constant(input, span, BYTES, &other),
    }
}

fn number_of_bytes(span: Span, number: &LitInt) -> Result<usize> {
    let digits = number.base10_digits();
    if !number.suffix().is_empty() {
        let bytes = keywords::bytes(&format!("{digits}{}", number.suffix()));
        return Err(Error::new(span, bytes.map_or_else(|| format!("write it without a suffix: `{digits}`"), in_bytes)));
    }
    if digits.starts_with('-') {
        return Err(Error::new(span, "a number of bytes is not negative: write `drain_limit = 0` to read none"));
    }
    let too_large = |_| Error::new(span, "this number does not fit in a `usize`: write `drain_limit = usize::MAX`");
    number.base10_parse().map_err(too_large)
}

fn in_bytes(bytes: usize) -> String {
    format!("write the number of bytes: `drain_limit = {bytes}`")
}

pub(crate) fn budget(input: ParseStream) -> Result<ExprPath> {
    path_of_static(input, "budget", "write `static API: Budget = Budget::new();` and `budget = API`")
}

pub(crate) fn breaker(input: ParseStream) -> Result<ExprPath> {
    let right = "write `static API_BREAKER: Breaker = Breaker::new();` and `breaker = API_BREAKER`";
    path_of_static(input, "breaker", right)
}

fn path_of_static(input: ParseStream, key: &str, right: &str) -> Result<ExprPath> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) => Ok(path),
        Simple::Literal(Lit::Str(text)) if text.parse::<Path>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `{key} = {}`", text.value())))
        }
        _ => expected(span, &format!("the path of a `static`: {right}")),
    }
}

pub(crate) fn copies(input: ParseStream) -> Result<Given<u32>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(number)) => number_of_copies(span, &number).map(Given::Literal),
        Simple::Literal(Lit::Str(text)) if text.value().parse::<u32>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `hedge_max = {}`", text.value())))
        }
        Simple::Path(path) => Ok(Given::Path(path)),
        other => expected_constant(input, span, "an integer such as `3` or the path of a constant", &other),
    }
}

fn number_of_copies(span: Span, number: &LitInt) -> Result<u32> {
    let digits = number.base10_digits();
    let error = |message: String| Err(Error::new(span, message));
    if !matches!(number.suffix(), "" | "u32") {
        return error(format!("`hedge_max` is a `u32`: write `{digits}`"));
    }
    if digits.starts_with('-') || matches!(digits, "0" | "1") {
        return error("`hedge_max` counts the first copy too: it must be at least 2".to_owned());
    }
    number.base10_parse().or_else(|_| error("this number does not fit in a `u32`".to_owned()))
}

pub(crate) fn nested(input: ParseStream) -> Result<Nested> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(keyword)) if keyword.value() == "once" => Ok(Nested::Once),
        Simple::Literal(Lit::Str(keyword)) => unknown_word("value", &keyword, &NESTED),
        Simple::Path(path) => {
            unquoted("nested", &path, &NESTED)?;
            expected(span, "`\"once\"`")
        }
        _ => expected(span, "`\"once\"`"),
    }
}

pub(crate) fn text(input: ParseStream) -> Result<Given<LitStr>> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Str(text)) => Ok(Given::Literal(text)),
        Simple::Path(path) => Ok(Given::Path(path)),
        _ => expected(span, "a string such as `\"load the page\"` or the path of a constant"),
    }
}

pub(crate) fn function(input: ParseStream) -> Result<ExprPath> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) => Ok(path),
        _ => expected(span, "the path of a function such as `path::to::function`"),
    }
}

pub(crate) fn krate(input: ParseStream) -> Result<Path> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(ExprPath { qself: None, path, .. }) => Ok(path),
        Simple::Literal(Lit::Str(text)) if text.parse::<Path>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `crate = {}`", text.value())))
        }
        _ => expected(span, "the path of `retry_runtime` such as `facade::retry_runtime`"),
    }
}

pub(crate) fn expression(input: ParseStream) -> Result<Expr> {
    let span = here(input);
    input.parse().or_else(|_| expected(span, "an expression"))
}

pub(crate) fn identifier(input: ParseStream) -> Result<Ident> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) if name(&path).is_some_and(is_name) => path.path.require_ident().cloned(),
        Simple::Literal(Lit::Str(text)) if text.parse::<Ident>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `{}`", text.value())))
        }
        _ => expected(span, "an identifier such as `attempt`"),
    }
}

/// The path that is a single name.
fn name(path: &ExprPath) -> Option<&Ident> {
    path.path.get_ident().filter(|_| path.qself.is_none())
}

/// `self` and `Self` are paths of one segment, but nothing can be bound to them.
fn is_name(ident: &Ident) -> bool {
    !["self", "Self", "super", "crate"].iter().any(|keyword| ident == keyword)
}

pub(crate) fn identifiers(input: ParseStream) -> Result<Vec<Ident>> {
    let span = here(input);
    if !input.peek(syn::token::Bracket) {
        return match Simple::read(input, value_ends) {
            Simple::Path(path) if name(&path).is_some() => {
                Err(Error::new(span, format_args!("write a list: `clone = [{}]`", path.to_token_stream())))
            }
            _ => expected(span, "a list of arguments such as `[first, second]`"),
        };
    }
    list(input, |element| match Simple::read(element, value_ends) {
        Simple::Path(path) if name(&path).is_some() => path.path.require_ident().cloned(),
        _ => expected(here(element), "the name of an argument"),
    })
}

/// A keyword without its quotes looks like the path of a constant.
pub(crate) fn unquoted(key: &str, path: &ExprPath, words: &[&str]) -> Result<()> {
    match name(path) {
        Some(ident) if words.iter().any(|word| ident == word) => {
            let right = format!("write it with quotes: `{key} = \"{ident}\"`");
            Err(Error::new(ident.span(), right))
        }
        _ => Ok(()),
    }
}

fn unknown_word<T>(what: &str, word: &LitStr, allowed: &[&str]) -> Result<T> {
    let value = word.value();
    let advice = suggest_quoted(&value, allowed);
    Err(Error::new(word.span(), format_args!("unknown {what} `\"{value}\"`: {advice}")))
}

/// An expression is an attempt to say what is known only at run time.
fn expected_constant<T>(input: ParseStream, span: Span, what: &str, found: &Simple) -> Result<T> {
    match found {
        Simple::Literal(_) => expected(span, what),
        _ if input.peek(syn::token::Bracket) => expected(span, what),
        _ => expected(span, &format!("{what}; what is known only at run time goes through `policy`")),
    }
}

pub(crate) fn expected<T>(span: Span, what: &str) -> Result<T> {
    Err(Error::new(span, format_args!("expected {what}")))
}

#[cfg(test)]
mod tests;
