//! Reads `key = value, …` into the model of the attribute. What the values mean together is checked in `check.rs`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprPath, LitStr, Path, Token};

use crate::errors::Errors;
use crate::foreign;
use crate::scan;
use crate::status;
use crate::suggest::suggest;
use crate::value;

/// One argument as it was written.
pub(crate) struct Arg<T> {
    pub key: Ident,
    pub value: T,
    /// Of the first token of the value.
    pub span: Span,
    /// Of the last one.
    pub end: Span,
}

/// A value that is known here, or the path of a constant that the compiler evaluates.
#[derive(Clone)]
pub(crate) enum Given<T> {
    Literal(T),
    Path(ExprPath),
}

pub(crate) enum Attempts {
    Number(u32),
    Unlimited,
    Path(ExprPath),
}

pub(crate) enum Backoff {
    Exponential,
    Fixed,
    Linear,
    Fibonacci,
    Random,
    Decorrelated,
    Custom(ExprPath),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Jitter {
    None,
    Full,
    Equal,
    /// More than 0, at most 1.
    Share(f64),
}

pub(crate) enum Delays {
    List(Vec<(Given<Duration>, Span)>),
    /// A constant of type `&'static [Duration]`.
    Path(ExprPath),
}

/// Both bounds are inside; a single status has no second one.
pub(crate) struct StatusRange {
    pub first: StatusBound,
    pub last: Option<StatusBound>,
    pub span: Span,
}

pub(crate) enum StatusBound {
    Code(u16),
    Path(ExprPath),
}

pub(crate) enum OnError {
    Any,
    Transient,
    Never,
    Predicate(Expr),
}

pub(crate) enum RetryAfter {
    AtMost(Given<Duration>),
    Ignore,
}

/// What was retried inside of an attempt.
pub(crate) enum Nested {
    /// Is not retried again.
    Once,
}

#[derive(Default)]
pub(crate) struct Arguments {
    pub attempts: Option<Arg<Attempts>>,
    pub backoff: Option<Arg<Backoff>>,
    pub start: Option<Arg<Given<Duration>>>,
    pub factor: Option<Arg<Given<f64>>>,
    pub max_delay: Option<Arg<Given<Duration>>>,
    pub delays: Option<Arg<Delays>>,
    pub jitter: Option<Arg<Jitter>>,
    pub random_source: Option<Arg<ExprPath>>,
    pub on_status: Option<Arg<Vec<StatusRange>>>,
    pub on_error: Option<Arg<OnError>>,
    pub on_ok: Option<Arg<Expr>>,
    pub retry_after: Option<Arg<RetryAfter>>,
    pub server_delay: Option<Arg<Expr>>,
    pub drain_limit: Option<Arg<Given<usize>>>,
    pub drain_timeout: Option<Arg<Given<Duration>>>,
    pub deadline: Option<Arg<Given<Duration>>>,
    pub attempt_timeout: Option<Arg<Given<Duration>>>,
    pub budget: Option<Arg<ExprPath>>,
    pub nested: Option<Arg<Nested>>,
    pub breaker: Option<Arg<ExprPath>>,
    pub hedge: Option<Arg<Given<Duration>>>,
    pub hedge_max: Option<Arg<Given<u32>>>,
    pub policy: Option<Arg<Expr>>,
    pub bind: Option<Arg<Ident>>,
    pub clone: Option<Arg<Vec<Ident>>>,
    pub name: Option<Arg<Given<LitStr>>>,
    pub observer: Option<Arg<Expr>>,
    pub sleep: Option<Arg<ExprPath>>,
    pub blocking: Option<Ident>,
    pub krate: Option<Arg<Path>>,
    /// Every key in the order it was written, those with an unreadable value included.
    pub written: Vec<Ident>,
    /// Those of them with an unreadable value: what follows from their absence does not hold.
    pub unreadable: Vec<Ident>,
}

/// Each argument with a value that can be written after it.
const ARGUMENTS: [(&str, &str); 30] = [
    ("attempts", "3"),
    ("backoff", "\"exponential\""),
    ("start", "\"100ms\""),
    ("factor", "2"),
    ("max_delay", "\"30s\""),
    ("delays", "[\"1s\", \"5s\"]"),
    ("jitter", "\"full\""),
    ("random_source", "path::to::function"),
    ("on_status", "[503]"),
    ("on_error", "\"transient\""),
    ("on_ok", "|value| value.is_empty()"),
    ("retry_after", "\"60s\""),
    ("server_delay", "|answer| answer.wait"),
    ("drain_limit", "65536"),
    ("drain_timeout", "\"200ms\""),
    ("deadline", "\"30s\""),
    ("attempt_timeout", "\"5s\""),
    ("budget", "API"),
    ("nested", "\"once\""),
    ("breaker", "API_BREAKER"),
    ("hedge", "\"50ms\""),
    ("hedge_max", "3"),
    ("policy", "POLICY"),
    ("bind", "attempt"),
    ("clone", "[argument]"),
    ("name", "\"load the page\""),
    ("observer", "OBSERVER"),
    ("sleep", "path::to::function"),
    ("blocking", ""),
    ("crate", "path::to::retry_runtime"),
];

impl Arguments {
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Arguments::default();
        let all = |input: ParseStream| {
            while !input.is_empty() {
                arguments.read_one(input, errors);
                separator(input, errors);
            }
            Ok(())
        };
        if let Err(error) = all.parse2(tokens) {
            errors.push(error);
        }
        arguments
    }

    /// Whether the key was written, readable or not.
    pub(crate) fn wrote(&self, key: &str) -> bool {
        self.written.iter().any(|written| written.unraw() == key)
    }

    /// Whether one of these was written, but not understood.
    pub(crate) fn misread(&self, keys: &[&str]) -> bool {
        self.unreadable.iter().any(|unreadable| keys.iter().any(|key| unreadable.unraw() == key))
    }

    fn read_one(&mut self, input: ParseStream, errors: &mut Errors) {
        let Ok(key) = input.call(Ident::parse_any) else {
            errors.at(input.span(), "expected an argument such as `attempts = 3`");
            return scan::skip(input);
        };
        if input.peek(Token![-]) {
            return kebab_case(key, input, errors);
        }
        let name = key.unraw().to_string();
        let Some((_, example)) = ARGUMENTS.iter().find(|(known, _)| *known == name) else {
            return unknown(&key, input, errors);
        };
        if self.wrote(&name) {
            errors.at(key.span(), format_args!("`{name}` is given twice: keep one of them"));
        } else {
            self.written.push(key.clone());
        }
        if name == "blocking" {
            return self.read_blocking(key, input, errors);
        }
        let read = equals(&key, example, input).and_then(|()| self.read_value(&key, input));
        if let Err(error) = read {
            errors.push(error);
            self.unreadable.push(key);
            // So that the arguments after it are read too.
            scan::skip(input);
        }
    }

    fn read_blocking(&mut self, key: Ident, input: ParseStream, errors: &mut Errors) {
        if !scan::ends(input) {
            errors.at(input.span(), "`blocking` takes no value: write `blocking`");
            scan::skip(input);
        }
        self.blocking.get_or_insert(key);
    }

    fn read_value(&mut self, key: &Ident, input: ParseStream) -> syn::Result<()> {
        match key.unraw().to_string().as_str() {
            "attempts" => put(&mut self.attempts, key, input, value::attempts),
            "backoff" => put(&mut self.backoff, key, input, value::backoff),
            "start" => put(&mut self.start, key, input, value::duration),
            "factor" => put(&mut self.factor, key, input, value::number),
            "max_delay" => put(&mut self.max_delay, key, input, value::duration),
            "delays" => put(&mut self.delays, key, input, value::delays),
            "jitter" => put(&mut self.jitter, key, input, value::jitter),
            "random_source" => put(&mut self.random_source, key, input, value::function),
            "on_status" => put(&mut self.on_status, key, input, status::statuses),
            "on_error" => put(&mut self.on_error, key, input, value::on_error),
            "on_ok" => put(&mut self.on_ok, key, input, value::on_ok),
            "retry_after" => put(&mut self.retry_after, key, input, value::retry_after),
            "server_delay" => put(&mut self.server_delay, key, input, value::server_delay),
            "drain_limit" => put(&mut self.drain_limit, key, input, value::bytes),
            "drain_timeout" => put(&mut self.drain_timeout, key, input, value::duration),
            "deadline" => put(&mut self.deadline, key, input, value::duration),
            "attempt_timeout" => put(&mut self.attempt_timeout, key, input, value::duration),
            "budget" => put(&mut self.budget, key, input, value::budget),
            "nested" => put(&mut self.nested, key, input, value::nested),
            "breaker" => put(&mut self.breaker, key, input, value::breaker),
            "hedge" => put(&mut self.hedge, key, input, value::duration),
            "hedge_max" => put(&mut self.hedge_max, key, input, value::copies),
            "policy" => put(&mut self.policy, key, input, value::expression),
            "bind" => put(&mut self.bind, key, input, value::identifier),
            "clone" => put(&mut self.clone, key, input, value::identifiers),
            "name" => put(&mut self.name, key, input, value::text),
            "observer" => put(&mut self.observer, key, input, value::expression),
            "sleep" => put(&mut self.sleep, key, input, value::function),
            "crate" => put(&mut self.krate, key, input, value::krate),
            known => unreachable!("`{known}` is in the table of arguments, but nothing reads it"),
        }
    }
}

/// Reads a value into its place, or reads nothing. Of an argument that is given twice the first one stands.
fn put<T>(
    place: &mut Option<Arg<T>>,
    key: &Ident,
    input: ParseStream,
    read: fn(ParseStream) -> syn::Result<T>,
) -> syn::Result<()> {
    let ahead = input.fork();
    let value = read(&ahead)?;
    let (span, end) = scan::ends_between(input.cursor(), ahead.cursor());
    input.advance_to(&ahead);
    place.get_or_insert(Arg { key: key.clone(), value, span, end });
    Ok(())
}

fn equals(key: &Ident, example: &str, input: ParseStream) -> syn::Result<()> {
    let right = format_args!("write `{key} = {example}`").to_string();
    if scan::ends(input) {
        return Err(syn::Error::new(key.span(), format_args!("`{key}` needs a value: {right}")));
    }
    if input.peek(Token![==]) || input.peek(Token![=>]) {
        let found: (Token![=], TokenTree) = (input.parse()?, input.parse()?);
        let found = found.0.into_token_stream().into_iter().chain([found.1]).collect::<TokenStream>();
        return Err(syn::Error::new_spanned(found, format_args!("expected `=`: {right}")));
    }
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(input.span(), format_args!("expected `=`: {right}")));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(key.span(), format_args!("`{key}` needs a value: {right}")));
    }
    Ok(())
}

fn separator(input: ParseStream, errors: &mut Errors) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    if input.peek(Token![;]) {
        errors.at(input.span(), "expected `,`, found `;`");
        let _ = input.parse::<Token![;]>();
        return;
    }
    errors.at(input.span(), "expected `,` before this");
    if !scan::starts_argument(input) {
        scan::skip(input);
        let _ = input.parse::<Token![,]>();
    }
}

/// `max-delay` is three tokens.
fn kebab_case(first: Ident, input: ParseStream, errors: &mut Errors) {
    let mut name = first.unraw().to_string();
    let mut written = first.into_token_stream();
    while input.peek(Token![-]) && input.peek2(Ident::peek_any) {
        // Both were seen.
        if let (Ok(dash), Ok(word)) = (input.parse::<Token![-]>(), input.call(Ident::parse_any)) {
            name = format!("{name}_{}", word.unraw());
            written.extend(quote!(#dash #word));
        }
    }
    let known = ARGUMENTS.iter().any(|(known, _)| *known == name);
    let _ = input.parse::<Token![=]>();
    let advice = if known { format!("write `{name}`") } else { advice(&name, input) };
    let message = format_args!("unknown argument `{}`: {advice}", name.replace('_', "-")).to_string();
    errors.push(syn::Error::new_spanned(written, message));
    scan::skip(input);
}

fn unknown(key: &Ident, input: ParseStream, errors: &mut Errors) {
    let name = key.unraw().to_string();
    let _ = input.parse::<Token![=]>();
    let advice = advice(&name, input);
    errors.at(key.span(), format_args!("unknown argument `{name}`: {advice}"));
    scan::skip(input);
}

/// The advice for an unknown argument; the input stands at the value.
fn advice(name: &str, input: ParseStream) -> String {
    foreign::advice(name, input).unwrap_or_else(|| {
        let allowed: Vec<&str> = ARGUMENTS.iter().map(|(known, _)| *known).collect();
        suggest(name, &allowed)
    })
}

#[cfg(test)]
pub(crate) mod tests;
