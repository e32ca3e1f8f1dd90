//! Reads the last item of `retrying!`: an `async` block, or a closure.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Result, ReturnType, Token, Visibility, parse_quote_spanned, token};

use super::async_block::{FutureBody, braces};
use super::function::{Function, Shape, outcome_can_be_a_failure};
use crate::args::model::{Arg, Arguments};
use crate::args::parse::resembles_argument;
use crate::args::scan::{self, here};
use crate::errors::Errors;

/// Input, one of these:
///
/// ```text
/// async move { BODY }
/// async |attempt| -> Result<Row, Error> { BODY }
/// |attempt| EXPRESSION
/// ```
///
/// The first two are read as a function that returns the future of an `async` block, and the third as a blocking one.
pub(crate) struct Block {
    pub function: Function,
    /// The `move` of a blocking closure. That of an `async` block is in the shape of the function.
    pub move_token: Option<Ident>,
    /// The name of the closure's argument.
    pub attempt: Option<Ident>,
}

/// Returns `true` where the last item begins, even if it is not written as it should be.
pub(crate) fn starts(input: ParseStream) -> bool {
    scan::starts_block(input) || (is_expression(input) && is_last(input))
}

/// Returns `true` for an expression that cannot be an argument, such as `{ … }` or `get()`.
fn is_expression(input: ParseStream) -> bool {
    if !input.peek(Ident::peek_any) {
        return true;
    }
    let calls = input.peek2(token::Paren) || input.peek2(Token![.]) || input.peek2(Token![::]);
    let opens = input.peek2(token::Brace) || input.peek2(Token![!]);
    let keywords = input.peek(Token![if]) || input.peek(Token![match]) || input.peek(Token![unsafe]);
    let ends = {
        let ahead = input.fork();
        ahead.call(Ident::parse_any).is_ok() && (ahead.is_empty() || ahead.peek(Token![,]))
    };
    (calls || opens || keywords || ends) && !resembles_argument(input)
}

fn is_last(input: ParseStream) -> bool {
    let ahead = input.fork();
    scan::skip(&ahead);
    // A trailing comma may follow.
    let _ = ahead.parse::<Option<Token![,]>>();
    ahead.is_empty()
}

impl Block {
    /// Returns `None` if the last item is missing or cannot be read.
    pub(crate) fn read(item: TokenStream, arguments: &mut Arguments, errors: &mut Errors) -> Option<Self> {
        let block = match item.is_empty() {
            true => missing(arguments, errors),
            false => errors.take((|input: ParseStream| read(input, arguments)).parse2(item)),
        }?;
        errors.take(is_async_or_blocking(&block.function, arguments));
        errors.take(outcome_can_be_a_failure(&block.function));
        errors.take(attempt_has_one_name(&block, arguments));
        if let Some(attempt) = &block.attempt {
            let (key, value, span) = (attempt.clone(), attempt.clone(), attempt.span());
            arguments.bind.get_or_insert(Arg { key, value, span, end: span });
        }
        errors.take(hedged_policy_knows_the_outcome(&block.function, arguments));
        Some(block)
    }
}

/// Reports a missing block, unless the mistake is certainly another one.
fn missing(arguments: &Arguments, errors: &mut Errors) -> Option<Block> {
    if errors.is_empty() {
        let message = match arguments.blocking {
            Some(_) => "the closure is missing: write `|| …` as the last item",
            None => "the `async` block is missing: write `async { … }` as the last item",
        };
        errors.at(Span::call_site(), message);
    }
    None
}

fn read(input: ParseStream, arguments: &Arguments) -> Result<Block> {
    if !scan::starts_block(input) {
        return Err(Error::new(here(input), not_a_block(input, arguments)));
    }
    let async_token = keyword(input, "async");
    let move_token = keyword(input, "move");
    let start = here(input);
    let is_closure = input.peek(Token![|]) || input.peek(Token![||]);
    let attempt = if is_closure { argument(input)? } else { None };
    let output: ReturnType = if is_closure { input.parse()? } else { ReturnType::Default };
    let body = match (is_closure, &output) {
        (true, ReturnType::Default) => closure_body(input)?,
        _ => block(input, is_closure)?,
    };
    nothing_follows(input)?;
    let sig = |start: Span| parse_quote_spanned!(start=> fn retrying() #output);
    let (shape, sig, move_token) = match async_token {
        Some(async_token) => {
            let sig = sig(async_token.span());
            let future = FutureBody::of_block(async_token, move_token, body.clone(), &output);
            (Shape::Returned { future: Box::new(future) }, sig, None)
        }
        None => (Shape::Blocking, sig(start), move_token),
    };
    let function =
        Function { attrs: vec![], vis: Visibility::Inherited, defaultness: None, sig, body, shape, is_block: true };
    Ok(Block { function, move_token, attempt })
}

fn keyword(input: ParseStream, keyword: &str) -> Option<Ident> {
    let is_next = input.fork().call(Ident::parse_any).is_ok_and(|word| word == keyword);
    is_next.then(|| input.call(Ident::parse_any).ok()).flatten()
}

/// The message for an expression that does not start an attempt.
fn not_a_block(input: ParseStream, arguments: &Arguments) -> &'static str {
    match (&arguments.blocking, input.peek(token::Brace)) {
        (Some(_), true) => "expected a closure: write `|| { … }`",
        (Some(_), false) => "expected a closure, which each attempt calls: write `|| …`",
        (None, true) => "expected an `async` block: write `async { … }`",
        (None, false) => "expected an `async` block, which each attempt runs: write `async { … .await }`",
    }
}

/// Reads `||`, `|_|` or `|attempt|`.
fn argument(input: ParseStream) -> Result<Option<Ident>> {
    const ONE: &str = "expected the name of the attempt: write `|attempt|`, or `||` without it";
    if input.parse::<Option<Token![||]>>()?.is_some() {
        return Ok(None);
    }
    input.parse::<Token![|]>()?;
    if input.parse::<Option<Token![|]>>()?.is_some() {
        return Ok(None);
    }
    let start = here(input);
    let attempt = match input.parse::<Option<Token![_]>>()? {
        Some(_) => None,
        None => Some(input.parse::<Ident>().map_err(|_| Error::new(start, ONE))?),
    };
    if input.peek(Token![:]) {
        return Err(Error::new(here(input), "the type of the attempt is always `&Attempt`: remove this type"));
    }
    input.parse::<Token![|]>().map_err(|error| Error::new(error.span(), ONE))?;
    Ok(attempt)
}

fn block(input: ParseStream, after_type: bool) -> Result<Group> {
    let message = match after_type {
        true => "expected a block: the body of a closure with a return type has braces",
        false => "expected the `async` block: write `async { … }`",
    };
    if input.is_empty() {
        return Err(Error::new(Span::call_site(), message));
    }
    let span = here(input);
    braces(&input.parse()?).ok_or_else(|| Error::new(span, message))
}

/// The body of a closure without a return type: a block, or an expression, which becomes one.
fn closure_body(input: ParseStream) -> Result<Group> {
    let start = here(input);
    let mut code = Vec::new();
    while !input.is_empty() && !ends_expression(input) {
        code.push(input.parse::<TokenTree>()?);
    }
    match code.as_slice() {
        [] => Err(Error::new(start, "the body of the closure is missing: write `|| …`")),
        [only] if braces(only).is_some() => braces(only).ok_or_else(|| input.error("expected a block")),
        _ => {
            let mut body = Group::new(Delimiter::Brace, code.into_iter().collect());
            body.set_span(start);
            Ok(body)
        }
    }
}

/// The expression is not parsed, and a comma may be part of it, as in `f::<A, B>()`. It certainly ends before the end, and before
/// an argument.
fn ends_expression(input: ParseStream) -> bool {
    let ahead = input.fork();
    let comma = ahead.parse::<Token![,]>().is_ok();
    comma && (ahead.is_empty() || (scan::starts_argument(&ahead) && !ahead.peek2(Token![==])))
}

/// Nothing but a comma follows the block.
fn nothing_follows(input: ParseStream) -> Result<()> {
    if input.peek(Token![.]) && input.peek2(Token![await]) {
        let after = input.parse::<Token![.]>().and(input.parse::<Token![await]>())?;
        return Err(Error::new_spanned(after, "`retrying!` awaits the block: write `.await` after `retrying!(…)`"));
    }
    if input.peek(Token![?]) {
        return Err(input.error("write `?` inside the block, or after `retrying!(…).await`"));
    }
    input.parse::<Option<Token![,]>>()?;
    match input.is_empty() {
        true => Ok(()),
        false => {
            let message = "nothing may follow the block: write the arguments before it";
            let error = Error::new(here(input), message);
            input.parse::<TokenStream>()?;
            Err(error)
        }
    }
}

/// `blocking` is written for closures, and only for these.
fn is_async_or_blocking(function: &Function, arguments: &Arguments) -> Result<()> {
    let start = function.sig.ident.span();
    match (&function.shape, &arguments.blocking) {
        (Shape::Blocking, None) => {
            Err(Error::new(start, "a closure blocks its thread: write `async` before it, or `blocking` as an argument"))
        }
        (Shape::Returned { .. }, Some(blocking)) => {
            Err(Error::new(blocking.span(), "this block is `async`: remove `blocking`, or write a closure `|| …`"))
        }
        _ => Ok(()),
    }
}

fn attempt_has_one_name(block: &Block, arguments: &Arguments) -> Result<()> {
    match (&block.attempt, &arguments.bind) {
        (Some(name), Some(bind)) => {
            let message = format_args!("the attempt already has the name `{name}`: remove `bind`").to_string();
            Err(Error::new(bind.key.span(), message))
        }
        _ => Ok(()),
    }
}

/// With a run-time policy, the type of the outcome decides whether a copy can be cut off. The copies start before rustc can infer it.
fn hedged_policy_knows_the_outcome(function: &Function, arguments: &Arguments) -> Result<()> {
    match (&arguments.policy, &arguments.hedge) {
        (Some(_), Some(hedge)) if function.outcome().is_none() => {
            let message =
                "`hedge` beside `policy` needs the type of the outcome: write `async || -> Result<T, E> { … }`";
            Err(Error::new(hedge.key.span(), message))
        }
        _ => Ok(()),
    }
}

/// The code of a last item that could not be read, to keep it in the expansion after an error.
pub(crate) fn unread(item: TokenStream, all: TokenStream) -> Option<TokenStream> {
    match syn::parse2::<Expr>(item.clone()) {
        Ok(Expr::Block(block)) => Some(quote!(async #block)),
        Ok(code @ (Expr::Closure(_) | Expr::Call(_) | Expr::MethodCall(_))) => Some(code.into_token_stream()),
        _ => async_block_in(if item.is_empty() { all } else { item }),
    }
}

/// The first `async` in these tokens with the next block after it.
fn async_block_in(tokens: TokenStream) -> Option<TokenStream> {
    let mut trees = tokens.into_iter().skip_while(|tree| !matches!(tree, TokenTree::Ident(word) if word == "async"));
    let (async_token, body) = (trees.next()?, trees.find_map(|tree| braces(&tree))?);
    Some(quote!(#async_token move #body))
}

#[cfg(test)]
mod tests;
