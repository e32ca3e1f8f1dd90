//! Reads the annotated function. The body is not parsed, unless it is exactly one `async` block.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Abi, Attribute, Error, Path, Result, ReturnType, Signature, Token, Type, Visibility};

use super::async_block::{FutureBody, after_inner_attributes, braces, declared_output};
use crate::args::model::Arguments;
use crate::args::scan::here;
use crate::errors::Errors;

/// The annotated function. Printing the parts in this order restores it.
pub(crate) struct Function {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub defaultness: Option<Token![default]>,
    pub sig: Signature,
    /// The braces and their content, inner attributes included.
    pub body: Group,
    pub shape: Shape,
    /// Set for the last item of `retrying!`, which is read as a function without name and arguments.
    pub is_block: bool,
}

pub(crate) enum Shape {
    /// `async fn`
    Async,
    /// A plain `fn` under `blocking`.
    Blocking,
    /// A plain `fn` that returns the future of one `async` block.
    Returned { future: Box<FutureBody> },
}

impl Function {
    /// Returns `None` if the item is not a function.
    pub(crate) fn read(item: TokenStream, arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        let mut function = errors.take(read_parts.parse2(item))?;
        // After an error the shape stays `Async`, which does not matter, because nothing is expanded.
        if let Some(shape) = errors.take(shape(&function, arguments)) {
            function.shape = shape;
        }
        errors.take(outcome_can_be_a_failure(&function));
        errors.take(is_annotated_once(&function));
        errors.take(blocking_function_does_not_track_its_caller(&function));
        Some(function)
    }

    /// The type of an attempt's outcome, if the signature names it.
    pub(crate) fn outcome(&self) -> Option<&Type> {
        match (&self.shape, &self.sig.output) {
            (Shape::Returned { future }, _) => future.output.as_ref(),
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
    Ok(Function { attrs, vis, defaultness, sig, body, shape: Shape::Async, is_block: false })
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

/// Reads the keywords that are allowed before `fn`.
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
        return Err(input.error("this function has no body to retry: put `#[retry]` on its implementation"));
    }
    let span = here(input);
    let tree: TokenTree = input.parse().map_err(|_| Error::new(span, "expected the body of the function"))?;
    braces(&tree).ok_or_else(|| Error::new(span, "expected the body of the function"))
}

fn shape(function: &Function, arguments: &Arguments) -> Result<Shape> {
    let Function { sig, body, .. } = function;
    // A `const fn` cannot be `async` either. One error is enough.
    if let Some(constness) = &sig.constness {
        let message = "a `const fn` cannot wait for a retry: remove `const`";
        return Err(Error::new(constness.span, message));
    }
    let future = declared_output(&sig.output).is_some();
    match (sig.asyncness, &arguments.blocking) {
        (Some(_), None) => Ok(Shape::Async),
        (None, Some(_)) if !future => Ok(Shape::Blocking),
        (Some(_), Some(blocking)) => Err(Error::new(blocking.span(), "this function is `async`: remove `blocking`")),
        (None, Some(blocking)) => Err(Error::new(blocking.span(), "this function returns a future: remove `blocking`")),
        (None, None) => match FutureBody::read(body, &sig.output) {
            Some(future) => Ok(Shape::Returned { future: Box::new(future) }),
            None => Err(not_async(future, function)),
        },
    }
}

/// The error for a function that is neither `async` nor `blocking`.
fn not_async(future: bool, Function { sig, body, .. }: &Function) -> Error {
    let function = sig.fn_token.span;
    if future {
        // The start of the body, where the code before the block is.
        let trees: Vec<TokenTree> = body.stream().into_iter().collect();
        let start = after_inner_attributes(&trees).first().map_or(function, TokenTree::span);
        return Error::new(
            start,
            "only a body that is exactly one `async` block can be retried: move the rest into the block, or write `async fn`",
        );
    }
    let message = if blocks_on(body.stream()) {
        "the `async` keyword is missing: put `#[retry]` above the attribute that removed it, or write `blocking` in `#[retry]` for a function that blocks its thread"
    } else {
        "the `async` keyword is missing: write `async fn`, or write `blocking` in `#[retry]` for a function that blocks its thread"
    };
    Error::new(function, message)
}

/// Returns `true` if the body calls `block_on`, as those that `#[tokio::main]` and `#[tokio::test]` write do.
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

/// The return type can represent a failure.
pub(super) fn outcome_can_be_a_failure(function: &Function) -> Result<()> {
    const RETURN: &str = "return `Result`, `Option`, or a type that implements `Retryable`";
    let no_outcome = || {
        let name = function.sig.ident.span();
        Err(Error::new(name, format_args!("this function cannot return a failure: {RETURN}")))
    };
    match (function.outcome(), &function.shape) {
        (None, Shape::Returned { .. }) => Ok(()),
        // rustc infers it.
        (None, _) if function.is_block => Ok(()),
        (Some(ty), _) if function.is_block && is_unit(ty) => {
            Err(Error::new_spanned(ty, format_args!("this type cannot be a failure: {RETURN}")))
        }
        (None, Shape::Async | Shape::Blocking) => no_outcome(),
        // `#[async_trait]` writes this `()` with a span that is not the user's, so the error points at the name.
        (Some(ty), Shape::Returned { .. }) if is_unit(ty) => no_outcome(),
        (Some(ty), _) if is_never_an_outcome(ty) => {
            Err(Error::new_spanned(ty, format_args!("this type cannot be a failure: {RETURN}")))
        }
        (Some(_), _) => Ok(()),
    }
}

/// The function has only one `#[retry]`, because two loops multiply their attempts. An attribute that is renamed by
/// `use … as …` cannot be recognized.
fn is_annotated_once(function: &Function) -> Result<()> {
    let is_retry = |path: &Path| {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        matches!(names.as_slice(), [only] if only == "retry")
            || matches!(names.as_slice(), [.., krate, last] if krate == "retry_runtime" && last == "retry")
    };
    match function.attrs.iter().find(|attr| is_retry(attr.path())) {
        None => Ok(()),
        Some(attr) => {
            let message = "this function already has `#[retry]`, and two multiply their attempts: remove one of them";
            Err(Error::new_spanned(attr.path(), message))
        }
    }
}

/// A blocking function has no `#[track_caller]`. Its body becomes a closure, which does not have the caller's location.
fn blocking_function_does_not_track_its_caller(function: &Function) -> Result<()> {
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

/// Returns `true` for types that cannot be anything else. A path may be an alias of any type.
fn is_never_an_outcome(ty: &Type) -> bool {
    const PLAIN: [&str; 18] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
        "char", "str", "String",
    ];
    match ty {
        Type::Group(group) => is_never_an_outcome(&group.elem),
        Type::Paren(paren) => is_never_an_outcome(&paren.elem),
        Type::Reference(reference) => is_never_an_outcome(&reference.elem),
        Type::Path(ty) => ty.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        Type::Array(_) | Type::Slice(_) | Type::Tuple(_) | Type::Never(_) | Type::FnPtr(_) | Type::Ptr(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
