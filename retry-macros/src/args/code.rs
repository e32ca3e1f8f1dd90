//! Readers for values that are code: paths, expressions and names.

use proc_macro2::Ident;
use quote::ToTokens;
use retry_spec::duration;
use retry_spec::key::Kind;
use retry_spec::keywords;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Error, Expr, ExprPath, Lit, Path, Result};

use super::model::OnError;
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
        _ => expected(span, &format!("{}: {right}", Kind::Static.expected())),
    }
}

pub(crate) fn function(input: ParseStream) -> Result<ExprPath> {
    let span = here(input);
    match Simple::read(input, value_ends) {
        Simple::Path(path) => Ok(path),
        _ => expected(span, Kind::Function.expected()),
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
