//! The state of one expansion. The other modules add methods to it, one module for each part of the generated code.

use proc_macro2::Span;
use syn::{Ident, Path, Token};

use crate::args::model::Arguments;
use crate::input::function::Function;

pub(super) struct Expansion<'a> {
    pub arguments: &'a Arguments,
    /// The cloned arguments that are `mut`.
    pub mutable: Vec<(Ident, Token![mut])>,
    pub function: &'a Function,
    /// The position of the function's name, for tokens that have no better one.
    pub span: Span,
    /// The position of the whole attribute, for the loop.
    pub attribute: Span,
    /// The path of the runtime.
    pub krate: Path,
}
