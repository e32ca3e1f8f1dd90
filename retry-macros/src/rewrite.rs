//! The few tokens of the user's that are not written again as they are.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, Ident, PatIdent, Path, PathSegment, QSelf, Signature, Token, Type};

use crate::arguments::Arguments;
use crate::expand::at;
use crate::frame::after_inner_attributes;

/// The signature as it was written, but for the `mut` of arguments that are cloned, which the clone has; and those
/// arguments.
pub(crate) fn signature(arguments: &Arguments, sig: &Signature) -> (Signature, Vec<(Ident, Token![mut])>) {
    let mut sig = sig.clone();
    let cloned = arguments.clone.iter().flat_map(|clone| &clone.value).collect();
    let mut mutable = Mutable { cloned, found: Vec::new() };
    for input in &mut sig.inputs {
        if let FnArg::Typed(typed) = input {
            mutable.visit_pat_mut(&mut typed.pat);
        }
    }
    (sig, mutable.found)
}

/// Takes the `mut` of cloned arguments away.
struct Mutable<'a> {
    cloned: Vec<&'a Ident>,
    found: Vec<(Ident, Token![mut])>,
}

impl VisitMut for Mutable<'_> {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        if self.cloned.contains(&&pattern.ident) {
            self.found.extend(pattern.mutability.take().map(|mutability| (pattern.ident.clone(), mutability)));
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

/// A type of the signature as it can be written in an expression. The tokens are the user's, for what rustc says of
/// them to be the same as in the signature: it says the same thing once.
pub(crate) fn in_expression(ty: &Type) -> TokenStream {
    let mut ty = ty.clone();
    InExpression.visit_type_mut(&mut ty);
    ty.into_token_stream()
}

/// `impl Trait` may not stand in an expression; inference fills it in.
struct InExpression;

impl VisitMut for InExpression {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(bounds) = ty {
            *ty = syn::parse_quote_spanned!(at(bounds.impl_token.span)=> _);
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}

/// Returns `true` for the path of an associated item, which may depend on the generic parameters around the function.
pub(crate) fn is_associated(qself: Option<&QSelf>, path: &Path) -> bool {
    let of_type = |first: &PathSegment| first.ident.to_string().starts_with(char::is_uppercase);
    qself.is_some() || path.segments.len() > 1 && path.segments.first().is_some_and(of_type)
}

/// The inner attributes of a body, and the rest: only the function's own braces may begin with them.
pub(crate) fn split_inner_attributes(body: &Group) -> (TokenStream, TokenStream) {
    let trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let code = after_inner_attributes(&trees);
    let attributes = trees[..trees.len() - code.len()].iter().cloned().collect();
    (attributes, code.iter().cloned().collect())
}
