//! Finds the ends of values, and skips values that cannot be read.

use proc_macro2::{Delimiter, Ident, Span, TokenTree};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprPath, Lit, Result, Token, bracketed};

/// A value that is one literal or one path, as nearly all values are.
pub(crate) enum Simple {
    Literal(Lit),
    Path(ExprPath),
    Other,
}

impl Simple {
    /// Reads a literal or a path up to the end of the value. Reads nothing if the value is anything else.
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

/// Reads a `T` that is the whole value. Reads nothing if the value goes on after it.
fn whole<T: Parse>(input: ParseStream, end: fn(ParseStream) -> bool) -> Option<T> {
    let ahead = input.fork();
    let value = ahead.parse().ok().filter(|_| end(&ahead))?;
    input.advance_to(&ahead);
    Some(value)
}

/// Reads `[a, b]`. Reports every wrong element, not only the first.
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

/// Reports a missing comma between two literals. Each literal alone is right, so the message is about the comma.
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

/// Returns `true` if the next argument starts here. Then only the comma before it is missing.
pub(crate) fn starts_argument(input: ParseStream) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=])
}

/// Returns `true` if the last item of `retrying!` starts here: an `async` block or a closure. No argument starts like that.
pub(crate) fn starts_block(input: ParseStream) -> bool {
    input.peek(Token![async]) || input.peek(Token![move]) || input.peek(Token![|]) || input.peek(Token![||])
}

/// Skips a value that cannot be read. Tries a whole expression first, because a closure may contain commas.
pub(crate) fn skip(input: ParseStream) {
    let ahead = input.fork();
    if ahead.parse::<Expr>().is_ok() && ends(&ahead) {
        return input.advance_to(&ahead);
    }
    while !input.is_empty() && !input.peek(Token![,]) {
        // Before the end there is always a token tree, so this does not fail.
        let _ = input.parse::<TokenTree>();
    }
}

/// The span of the first token of a value.
///
/// A variable of `macro_rules!` arrives as a group with invisible delimiters, whose own span may cover the whole macro call.
/// The span of the first token inside it points at what the user wrote.
pub(crate) fn here(input: ParseStream) -> Span {
    first_span(input.cursor())
}

fn first_span(cursor: Cursor) -> Span {
    match cursor.group(Delimiter::None) {
        Some((inside, _, _)) => first_span(inside),
        None => cursor.span(),
    }
}

/// The spans of the first and the last token between two cursors. They are not joined into one span, because `Span::join` works
/// only on nightly, and messages must be the same on stable.
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
