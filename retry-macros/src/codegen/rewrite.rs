//! Changes the few tokens of the user's that cannot stay as they are.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, Ident, PatIdent, Signature, Token, Type};

use super::tokens::at;
use crate::args::model::Arguments;
use crate::input::async_block::after_inner_attributes;

/// Removes the `mut` of arguments that are cloned, because the clone is what is mutable. Returns the signature and these
/// arguments.
///
/// If `mut` stayed on the argument, rustc would report an unused `mut` in the user's signature.
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

/// Removes the `mut` of cloned arguments.
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

/// Rewrites a type of the signature so that it can be written in an expression.
///
/// The tokens keep the user's spans. If the type does not exist, rustc reports the same error at the same position for the
/// signature and for the expression, and prints an error that it has already printed only once.
pub(crate) fn in_expression(ty: &Type) -> TokenStream {
    let mut ty = ty.clone();
    InExpression.visit_type_mut(&mut ty);
    ty.into_token_stream()
}

/// `<Alias as Future>::Output`, at the position of the alias.
pub(crate) fn output_of_future(alias: &Type) -> TokenStream {
    let alias = in_expression(alias);
    let place = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| at(token.span()));
    let before = quote_spanned!(place(alias.clone().into_iter().next())=> <);
    let after = quote_spanned!(place(alias.clone().into_iter().last())=> as ::core::future::Future>::Output);
    quote!(#before #alias #after)
}

/// Replaces `impl Trait`, which is not allowed in an expression, by `_`, which type inference fills in.
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

/// Splits a body into its inner attributes and the rest. Inner attributes are allowed only at the start of the function's own
/// braces, so they cannot move into the loop.
pub(crate) fn split_inner_attributes(body: &Group) -> (TokenStream, TokenStream) {
    let trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let code = after_inner_attributes(&trees);
    let attributes = trees[..trees.len() - code.len()].iter().cloned().collect();
    (attributes, code.iter().cloned().collect())
}
