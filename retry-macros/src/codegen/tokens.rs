//! Positions and paths of generated tokens.

use proc_macro2::Span;
use syn::{Path, PathSegment, QSelf};

use crate::args::model::Arguments;

/// A span at the user's position, with the hygiene of the macro.
///
/// The position makes rustc point at the user's token if the generated code does not compile. The hygiene has two effects:
/// names that the macro binds are invisible to the body and the body's names to the macro, and lints treat the tokens as
/// generated code. With the user's own span, `let __retry_outcome` would be visible in the body, and clippy and rustc would
/// report lints about code that the user did not write.
///
/// Hygiene covers only local variables. Items resolve as if the user had written them, so every generated path is
/// absolute, and every binding begins with `__retry_`: if a constant, a static or a unit struct in scope had the name of a binding, the
/// binding would be a pattern that is compared with it.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The path of the runtime: the user's `crate = …`, or else `::retry_runtime` at the given position.
pub(crate) fn krate(arguments: &Arguments, span: Span) -> Path {
    let standard = || syn::parse_quote_spanned!(span=> ::retry_runtime);
    arguments.krate.as_ref().map_or_else(standard, |krate| krate.value.clone())
}

/// Returns `true` for the path of an associated item, which may depend on the generic parameters around the function.
pub(crate) fn is_associated(qself: Option<&QSelf>, path: &Path) -> bool {
    let is_type = |first: &PathSegment| first.ident.to_string().starts_with(char::is_uppercase);
    qself.is_some() || path.segments.len() > 1 && path.segments.first().is_some_and(is_type)
}
