//! The few tokens of the user's that are not written again as they are.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, Ident, Pat, PatIdent, Signature, Type};

use crate::arguments::Arguments;
use crate::expand::at;
use crate::frame::after_inner_attributes;

/// The signature as it was written, but for the `mut` of arguments that are cloned: the clone has it.
pub(crate) fn signature(arguments: &Arguments, sig: &Signature) -> Signature {
    let mut sig = sig.clone();
    for input in &mut sig.inputs {
        if let Some(pattern) = identifier_mut(input) {
            let cloned = arguments.clone.iter().flat_map(|clone| &clone.value).any(|name| *name == pattern.ident);
            pattern.mutability = pattern.mutability.filter(|_| !cloned);
        }
    }
    sig
}

fn identifier_mut(input: &mut FnArg) -> Option<&mut PatIdent> {
    match input {
        FnArg::Typed(typed) => match &mut *typed.pat {
            Pat::Ident(pattern) => Some(pattern),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

pub(crate) fn parameter<'a>(sig: &'a Signature, name: &Ident) -> Option<&'a PatIdent> {
    sig.inputs.iter().find_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pattern) if pattern.ident == *name => Some(pattern),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
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

/// The inner attributes of a body, and the rest: only the function's own braces may begin with them.
pub(crate) fn split_inner_attributes(body: &Group) -> (TokenStream, TokenStream) {
    let trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let code = after_inner_attributes(&trees);
    let attributes = trees[..trees.len() - code.len()].iter().cloned().collect();
    (attributes, code.iter().cloned().collect())
}
