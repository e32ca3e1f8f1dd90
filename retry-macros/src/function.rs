//! Reads the annotated function. The body stays opaque, except where it is exactly one `async` block.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Abi, Attribute, Error, Path, Result, ReturnType, Signature, Token, Type, Visibility};

use crate::arguments::Arguments;
use crate::errors::Errors;
use crate::frame::{Frame, braces, declared_output};
use crate::scan::here;

/// The annotated function; printing the parts in this order gives it back as it was written.
pub(crate) struct Function {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub defaultness: Option<Token![default]>,
    pub sig: Signature,
    /// The braces and what is between them, inner attributes included.
    pub body: Group,
    pub shape: Shape,
}

pub(crate) enum Shape {
    /// `async fn`
    Async,
    /// A plain `fn` under `blocking`.
    Blocking,
    /// A plain `fn` that returns the future of one `async` block.
    Returned { frame: Box<Frame> },
}

impl Function {
    /// Nothing if the item is no function.
    pub(crate) fn read(item: TokenStream, arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        let mut function = errors.take(read_parts.parse2(item))?;
        // In its place stays the one that says nothing; after an error nothing is expanded.
        if let Some(shape) = errors.take(shape(&function, arguments)) {
            function.shape = shape;
        }
        errors.take(outcome(&function));
        errors.take(retried_once(&function));
        errors.take(tracks_no_caller(&function));
        Some(function)
    }

    /// The type of an attempt's outcome, where the signature says it.
    pub(crate) fn outcome(&self) -> Option<&Type> {
        match (&self.shape, &self.sig.output) {
            (Shape::Returned { frame }, _) => frame.output.as_ref(),
            (_, ReturnType::Type(_, ty)) => Some(ty),
            (_, ReturnType::Default) => None,
        }
    }
}

fn read_parts(input: ParseStream) -> Result<Function> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let defaultness = input.parse()?;
    require_function(input)?;
    let sig = input.parse()?;
    let body = body(input)?;
    Ok(Function { attrs, vis, defaultness, sig, body, shape: Shape::Async })
}

fn require_function(input: ParseStream) -> Result<()> {
    let ahead = input.fork();
    let modifiers = signature_start(&ahead);
    if modifiers.is_ok() && ahead.peek(Token![fn]) {
        return Ok(());
    }
    let found = item_keyword(&ahead).or_else(|| item_keyword(input));
    Err(match found {
        Some(keyword) if ["impl", "trait", "mod"].iter().any(|word| keyword == word) => {
            let inside = "put `#[retry]` on the functions inside it";
            Error::new(keyword.span(), format_args!("expected a function, found `{keyword}`: {inside}"))
        }
        Some(keyword) => Error::new(keyword.span(), format_args!("expected a function, found `{keyword}`")),
        None => Error::new(here(input), "expected a function"),
    })
}

/// What may stand before `fn`.
fn signature_start(input: ParseStream) -> Result<()> {
    input.parse::<Option<Token![const]>>()?;
    input.parse::<Option<Token![async]>>()?;
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Option<Abi>>()?;
    Ok(())
}

fn item_keyword(input: ParseStream) -> Option<Ident> {
    const ITEMS: [&str; 12] =
        ["impl", "trait", "mod", "struct", "enum", "union", "type", "static", "const", "use", "extern", "macro_rules"];
    let word = input.fork().call(Ident::parse_any).ok()?;
    ITEMS.iter().any(|item| word == item).then_some(word)
}

fn body(input: ParseStream) -> Result<Group> {
    if input.peek(Token![;]) {
        return Err(input.error("this function has no body to try again: put `#[retry]` where it is implemented"));
    }
    let span = here(input);
    let tree: TokenTree = input.parse().map_err(|_| Error::new(span, "expected the body of the function"))?;
    braces(&tree).ok_or_else(|| Error::new(span, "expected the body of the function"))
}

fn shape(function: &Function, arguments: &Arguments) -> Result<Shape> {
    let Function { sig, body, .. } = function;
    // A `const fn` is never `async` either, and one error is enough.
    if let Some(constness) = &sig.constness {
        let message = "a `const fn` cannot wait and try again: remove `const`";
        return Err(Error::new(constness.span, message));
    }
    let future = declared_output(&sig.output).is_some();
    match (sig.asyncness, &arguments.blocking) {
        (Some(_), None) => Ok(Shape::Async),
        (None, Some(_)) if !future => Ok(Shape::Blocking),
        (Some(_), Some(blocking)) => Err(Error::new(blocking.span(), "this function is `async`: remove `blocking`")),
        (None, Some(blocking)) => Err(Error::new(blocking.span(), "this function returns a future: remove `blocking`")),
        (None, None) => match Frame::read(body, &sig.output) {
            Some(frame) => Ok(Shape::Returned { frame: Box::new(frame) }),
            None => Err(Error::new(sig.fn_token.span, not_async(future, body))),
        },
    }
}

fn not_async(future: bool, body: &Group) -> &'static str {
    if future {
        "the body is not exactly one `async` block, which could be tried again: move the rest into the block, or write `async fn`"
    } else if blocks_on(body.stream()) {
        "the `async` keyword is missing: put `#[retry]` above the attribute that removed it, or write `blocking` in `#[retry]` for a function that blocks its thread"
    } else {
        "the `async` keyword is missing: write `async fn`, or write `blocking` in `#[retry]` for a function that blocks its thread"
    }
}

/// Whether a runtime is entered somewhere, as `#[tokio::main]` and `#[tokio::test]` make it.
fn blocks_on(body: TokenStream) -> bool {
    let mut trees = body.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let found = match tree {
            TokenTree::Ident(name) => {
                name == "block_on"
                    && matches!(trees.peek(), Some(TokenTree::Group(call)) if call.delimiter() == Delimiter::Parenthesis)
            }
            TokenTree::Group(group) => blocks_on(group.stream()),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// A return type must be able to tell a failure.
fn outcome(function: &Function) -> Result<()> {
    const RETURN: &str = "return `Result`, `Option`, or a type that implements `Retryable`";
    let nothing = || {
        let name = function.sig.ident.span();
        Err(Error::new(name, format_args!("this function returns nothing that could be a failure: {RETURN}")))
    };
    match (function.outcome(), &function.shape) {
        (None, Shape::Returned { .. }) => Ok(()),
        (None, Shape::Async | Shape::Blocking) => nothing(),
        // `#[async_trait]` writes this one, with a span that is not the user's.
        (Some(ty), Shape::Returned { .. }) if is_unit(ty) => nothing(),
        (Some(ty), _) if is_no_outcome(ty) => {
            Err(Error::new_spanned(ty, format_args!("this type cannot be a failure: {RETURN}")))
        }
        (Some(_), _) => Ok(()),
    }
}

/// Two loops would multiply their attempts. An attribute that is renamed by `use … as …` cannot be recognized.
fn retried_once(function: &Function) -> Result<()> {
    let is_retry = |path: &Path| {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        matches!(names.as_slice(), [only] if only == "retry")
            || matches!(names.as_slice(), [.., krate, last] if krate == "retry_runtime" && last == "retry")
    };
    match function.attrs.iter().find(|attr| is_retry(attr.path())) {
        None => Ok(()),
        Some(attr) => {
            let message = "this function has `#[retry]` already, and two multiply their attempts: remove one of them";
            Err(Error::new_spanned(attr.path(), message))
        }
    }
}

/// The body of a blocking function becomes a closure, which has no caller to be tracked.
fn tracks_no_caller(function: &Function) -> Result<()> {
    let tracked = function.attrs.iter().find(|attr| attr.path().is_ident("track_caller"));
    match (tracked, &function.shape) {
        (Some(attr), Shape::Blocking) => {
            let message = "`#[track_caller]` has no effect on a function with `#[retry]`, whose body runs in a closure: remove it";
            Err(Error::new_spanned(attr.path(), message))
        }
        _ => Ok(()),
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Only what can be nothing else: a path may be an alias of anything.
fn is_no_outcome(ty: &Type) -> bool {
    const PLAIN: [&str; 18] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
        "char", "str", "String",
    ];
    match ty {
        Type::Group(group) => is_no_outcome(&group.elem),
        Type::Paren(paren) => is_no_outcome(&paren.elem),
        Type::Reference(reference) => is_no_outcome(&reference.elem),
        Type::Path(ty) => ty.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        Type::Array(_) | Type::Slice(_) | Type::Tuple(_) | Type::Never(_) | Type::FnPtr(_) | Type::Ptr(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
