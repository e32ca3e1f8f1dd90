//! Finds where values begin and end, and passes over those that cannot be read.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::TokenStreamExt;
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Lit, Path, Result, Token, bracketed};

/// A value that is one literal or one path; nearly all are.
pub(crate) enum Simple {
    Literal(Lit),
    Path(Path),
    Other,
}

impl Simple {
    /// Reads nothing when it is anything else.
    pub(crate) fn read(input: ParseStream, end: fn(ParseStream) -> bool) -> Self {
        if let Some(literal) = whole(input, end) {
            return Simple::Literal(literal);
        }
        match whole(input, end) {
            Some(ExprPath { qself: None, path, .. }) => Simple::Path(path),
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
        let element = read(&ahead);
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

/// Whether a value is over here.
pub(crate) fn ends(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,]) || starts_argument(input)
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

/// The span from one place to another; of the first token where tokens cannot be joined.
pub(crate) fn span_between(start: Cursor, end: Cursor) -> Span {
    let mut tokens = TokenStream::new();
    let mut cursor = start;
    while let Some((tree, rest)) = cursor.token_tree().filter(|_| cursor != end) {
        tokens.append(tree);
        cursor = rest;
    }
    first_span(start).join(tokens.span()).unwrap_or_else(|| first_span(start))
}
