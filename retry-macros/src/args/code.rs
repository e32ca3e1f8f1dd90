//! Readers for values that are code: paths, expressions and names.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use retry_spec::duration;
use retry_spec::key::Kind;
use retry_spec::keywords;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Error, Expr, ExprPath, Lit, Path, Result};

use super::model::{OnError, Shared};
use super::scan::{Simple, here, list, value_ends};
use super::value::{at, expected, name, unquoted};

/// The message for a value that starts like an expression. It is probably meant as a function, so the keywords are not listed.
const PREDICATE_OF_ERROR: &str = "the path of a function or a closure such as `|error| error.is_timeout()`";

pub(crate) fn on_error(input: ParseStream) -> Result<OnError> {
    let span = here(input);
    let ahead = input.fork();
    match Simple::read(&ahead, value_ends) {
        Simple::Literal(Lit::Str(word)) => {
            input.advance_to(&ahead);
            return at(&word, keywords::OnError::read(&word.value())).map(OnError::Keyword);
        }
        Simple::Path(path) => unquoted("on_error", &path, keywords::OnError::KEYWORDS)?,
        Simple::Literal(_) => return expected(span, Kind::OnError.expected()),
        Simple::Other => {}
    }
    predicate(input, PREDICATE_OF_ERROR).map(OnError::Predicate)
}

pub(crate) fn on_ok(input: ParseStream) -> Result<Expr> {
    predicate(input, Kind::OnOk.expected())
}

pub(crate) fn server_delay(input: ParseStream) -> Result<Expr> {
    match Simple::read(&input.fork(), value_ends) {
        Simple::Literal(Lit::Str(limit)) if duration::parse(&limit.value()).is_ok() => {
            let longest = format!("the longest delay to accept is `retry_after = \"{}\"`", limit.value());
            expected(limit.span(), &format!("{}; {longest}", Kind::ServerDelay.expected()))
        }
        _ => predicate(input, Kind::ServerDelay.expected()),
    }
}

fn predicate(input: ParseStream, kind: &str) -> Result<Expr> {
    let span = here(input);
    let found: Expr = input.parse()?;
    match bare(&found) {
        Expr::Path(_) | Expr::Closure(_) => Ok(found),
        _ => expected(span, kind),
    }
}

/// The expression inside parentheses, and inside the invisible delimiters around a variable of `macro_rules!`.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => bare(&group.expr),
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}

pub(crate) fn until(input: ParseStream) -> Result<Expr> {
    predicate(input, Kind::Until.expected())
}

pub(crate) fn error_delay(input: ParseStream) -> Result<Expr> {
    predicate(input, Kind::ErrorDelay.expected())
}

pub(crate) fn on_retry(input: ParseStream) -> Result<Expr> {
    predicate(input, Kind::OnRetry.expected())
}

pub(crate) fn budget(input: ParseStream) -> Result<Shared> {
    shared(input, "budget", "write `static API: Budget = Budget::new();` and `budget = API`")
}

pub(crate) fn breaker(input: ParseStream) -> Result<Shared> {
    let right = "write `static API_BREAKER: Breaker = Breaker::new();` and `breaker = API_BREAKER`";
    shared(input, "breaker", right)
}

fn shared(input: ParseStream, key: &str, right: &str) -> Result<Shared> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) if is_variable(&path) => Ok(Shared::Value(Expr::Path(path))),
        Simple::Path(path) => Ok(Shared::Static(path)),
        Simple::Literal(Lit::Str(text)) if text.parse::<Path>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `{key} = {}`", text.value())))
        }
        Simple::Other => match input.parse() {
            Ok(value) if is_new(&value) => {
                Err(Error::new(span, format_args!("this would be a new `{key}` at each call: {right}")))
            }
            Ok(Expr::Closure(_)) | Err(_) => unshared(span, right),
            Ok(value) => Ok(Shared::Value(value)),
        },
        Simple::Literal(_) => unshared(span, right),
    }
}

fn unshared<T>(span: Span, right: &str) -> Result<T> {
    expected(span, &format!("{}: {right}", Kind::Shared.expected()))
}

/// Returns `true` for the call of a constructor, such as `Budget::new().capacity(5)` or `Arc::new(…)`.
fn is_new(value: &Expr) -> bool {
    match bare(value) {
        Expr::Call(call) => matches!(&*call.func, Expr::Path(function) if names_a_type(function)),
        Expr::MethodCall(call) => is_new(&call.receiver),
        Expr::Reference(reference) => is_new(&reference.expr),
        _ => false,
    }
}

fn names_a_type(function: &ExprPath) -> bool {
    function.path.segments.iter().any(|segment| segment.ident.to_string().starts_with(char::is_uppercase))
}

/// Returns `true` for a single name in lower case, which is an argument or a local variable. A `static` has upper case.
fn is_variable(path: &ExprPath) -> bool {
    name(path).is_some_and(|name| name.unraw().to_string().starts_with(char::is_lowercase))
}

pub(crate) fn function(input: ParseStream) -> Result<ExprPath> {
    path_of(input, Kind::Function)
}

pub(crate) fn sleep(input: ParseStream) -> Result<ExprPath> {
    path_of(input, Kind::SleepFunction)
}

fn path_of(input: ParseStream, kind: Kind) -> Result<ExprPath> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) => Ok(path),
        _ => expected(span, kind.expected()),
    }
}

pub(crate) fn krate(input: ParseStream) -> Result<Path> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(ExprPath { qself: None, path, .. }) => Ok(path),
        Simple::Literal(Lit::Str(text)) if text.parse::<Path>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `crate = {}`", text.value())))
        }
        _ => expected(span, Kind::CratePath.expected()),
    }
}

pub(crate) fn expression(input: ParseStream) -> Result<Expr> {
    let span = here(input);
    input.parse().or_else(|_| expected(span, Kind::Expression.expected()))
}

pub(crate) fn identifier(input: ParseStream) -> Result<Ident> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) if name(&path).is_some_and(is_name) => path.path.require_ident().cloned(),
        Simple::Literal(Lit::Str(text)) if text.parse::<Ident>().is_ok() => {
            Err(Error::new(span, format_args!("write it without quotes: `{}`", text.value())))
        }
        _ => expected(span, Kind::Name.expected()),
    }
}

/// Returns `false` for `self` and `Self`, which are paths of one segment, but cannot be bound.
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
            _ => expected(span, Kind::Names.expected()),
        };
    }
    list(input, |element| match Simple::read(element, value_ends) {
        Simple::Path(path) if name(&path).is_some() => path.path.require_ident().cloned(),
        _ => expected(here(element), "the name of an argument"),
    })
}
