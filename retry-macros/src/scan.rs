//! Finds where values begin and end, and passes over those that cannot be read.

use proc_macro2::{Delimiter, Ident, Span, TokenTree};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprPath, Lit, Result, Token, bracketed};

/// A value that is one literal or one path; nearly all are.
pub(crate) enum Simple {
    Literal(Lit),
    Path(ExprPath),
    Other,
}

impl Simple {
    /// Reads nothing when it is anything else.
    pub(crate) fn read(input: ParseStream, end: fn(ParseStream) -> bool) -> Self {
        if let Some(literal) = whole(input, end) {
            return Simple::Literal(literal);
        }
        match whole(input, end) {
            Some(path) => Simple::Path(path),
            _ => Simple::Other,
        }
    }
}

/// What is the whole value; reads nothing when there is more to the value.
fn whole<T: Parse>(input: ParseStream, end: fn(ParseStream) -> bool) -> Option<T> {
    let ahead = input.fork();
    let value = ahead.parse().ok().filter(|_| end(&ahead))?;
    input.advance_to(&ahead);
    Some(value)
}

/// Reads `[a, b]`, and reports every element that is wrong.
pub(crate) fn list<T>(input: ParseStream, read: fn(ParseStream) -> Result<T>) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    let mut elements = Ok(Vec::new());
    while !content.is_empty() {
        let ahead = content.fork();
        let element = after_comma(&ahead).and_then(|()| read(&ahead));
        match &element {
            Ok(_) => content.advance_to(&ahead),
            Err(_) => skip(&content),
        }
        elements = both(elements, element);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    elements
}

/// Of two literals in a row both are right, and only the comma between them is missing.
fn after_comma(input: ParseStream) -> Result<()> {
    let ahead = input.fork();
    if ahead.parse::<Lit>().is_ok() && ahead.peek(Lit) {
        return Err(Error::new(here(&ahead), "expected `,` before this"));
    }
    Ok(())
}

fn both<T>(elements: Result<Vec<T>>, element: Result<T>) -> Result<Vec<T>> {
    match (elements, element) {
        (Ok(mut elements), Ok(element)) => {
            elements.push(element);
            Ok(elements)
        }
        (Err(mut errors), Err(error)) => {
            errors.combine(error);
            Err(errors)
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}

/// Returns `true` at the end of an argument.
pub(crate) fn ends(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,]) || starts_argument(input)
}

/// Returns `true` at the end of a literal or a path. The next token may be wrong, but it cannot belong to the value, so the
/// missing comma is the only mistake.
pub(crate) fn value_ends(input: ParseStream) -> bool {
    let word = input.peek(Ident::peek_any) && !input.peek(Token![as]);
    ends(input) || input.peek(Token![;]) || input.peek(Lit) || word
}

/// Whether the next argument begins here, so that only the comma before it is missing.
pub(crate) fn starts_argument(input: ParseStream) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
}

/// Passes over a value that cannot be read. A closure has commas of its own, so whole expressions come first.
pub(crate) fn skip(input: ParseStream) {
    let ahead = input.fork();
    if ahead.parse::<Expr>().is_ok() && ends(&ahead) {
        return input.advance_to(&ahead);
    }
    while !input.is_empty() && !input.peek(Token![,]) {
        // A tree is always there before the end.
        let _ = input.parse::<TokenTree>();
    }
}

/// The token at which a value starts, also inside the invisible group that a `macro_rules!` variable brings.
pub(crate) fn here(input: ParseStream) -> Span {
    first_span(input.cursor())
}

fn first_span(cursor: Cursor) -> Span {
    match cursor.group(Delimiter::None) {
        Some((inside, _, _)) => first_span(inside),
        None => cursor.span(),
    }
}

/// The first and the last token from one place to another. They are not joined: that works on nightly only, and both
/// are to say the same.
pub(crate) fn ends_between(start: Cursor, end: Cursor) -> (Span, Span) {
    let first = first_span(start);
    let mut last = first;
    let mut cursor = start;
    while let Some((_, rest)) = cursor.token_tree().filter(|_| cursor != end) {
        last = first_span(cursor);
        cursor = rest;
    }
    (first, last)
}
