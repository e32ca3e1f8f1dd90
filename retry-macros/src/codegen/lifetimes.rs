//! Finds the lifetimes in the type of an outcome, and writes the type as a function of them.
//!
//! The runtime searches an error for types that it recognizes, which requires `'static`. Method lookup ignores lifetimes, so it
//! cannot tell whether an error borrows. The generated code therefore passes the outcome's type as a function of its lifetimes, and
//! the runtime compares the error type for different lifetimes.

use syn::visit_mut::{self, VisitMut};
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments,
    TraitBound, Type, TypeFnPtr, TypeImplTrait, TypePath, TypeReference, parse_quote,
};

use super::tokens::is_associated;

/// The lifetimes that the error of an outcome may have.
pub(crate) enum Lifetimes {
    /// No lifetime except `'static`.
    None,
    /// At least one. This is the outcome as a function of it: `for<'x> fn(&'x ()) -> Out<'x>`.
    Bound(Type),
    /// At least one in a projection, such as `<u8 as Has<'a>>::Error`. The trait may be implemented for this lifetime only, so
    /// the lifetime cannot be bound and stays as it is: `fn(&()) -> Out<'a>`.
    OfTrait(Type),
}

impl Lifetimes {
    pub(crate) fn of(outcome: &Type) -> Self {
        // Only the error is searched. If the type is written as a `Result`, the value is ignored.
        error_of(outcome).map_or_else(|| Self::in_outcome(outcome.clone()), Self::of_error)
    }

    /// The lifetimes that an error may have.
    pub(crate) fn of_error(error: &Type) -> Self {
        Self::in_outcome(parse_quote!(::core::result::Result<(), #error>))
    }

    fn in_outcome(mut ty: Type) -> Self {
        let written = ty.clone();
        let mut bind = Bind::default();
        bind.visit_type_mut(&mut ty);
        match bind {
            Bind { lifetimes: false, .. } | Bind { opaque: true, .. } => Self::None,
            Bind { projection: true, .. } => Self::OfTrait(parse_quote!(fn(&()) -> #written)),
            Bind { .. } => Self::Bound(parse_quote!(for<'__retry> fn(&'__retry ()) -> #ty)),
        }
    }
}

/// The `E` of `Result<T, E>`.
fn error_of(outcome: &Type) -> Option<&Type> {
    let path = match outcome {
        Type::Group(group) => return error_of(&group.elem),
        Type::Paren(paren) => return error_of(&paren.elem),
        Type::Path(TypePath { qself: None, path, .. }) => path,
        _ => return None,
    };
    let segment = path.segments.last().filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) = &segment.arguments else {
        return None;
    };
    match (args.len(), args.first(), args.last()) {
        (2, Some(GenericArgument::Type(_)), Some(GenericArgument::Type(error))) => Some(error),
        _ => None,
    }
}

/// Replaces every lifetime by the same bound one. One is enough to see whether the type depends on any lifetime.
#[derive(Default)]
struct Bind {
    lifetimes: bool,
    projection: bool,
    /// Set by an `impl Trait`, which is allowed only in a signature.
    opaque: bool,
}

impl VisitMut for Bind {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = Lifetime::new("'__retry", lifetime.span());
            self.lifetimes = true;
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| Lifetime::new("'_", reference.and_token.span));
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        self.projection |= is_associated(path.qself.as_ref(), &path.path);
        visit_mut::visit_type_path_mut(self, path);
    }

    fn visit_type_impl_trait_mut(&mut self, _: &mut TypeImplTrait) {
        self.opaque = true;
    }

    // These types bind lifetimes themselves.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    fn visit_trait_bound_mut(&mut self, bound: &mut TraitBound) {
        if bound.lifetimes.is_none() {
            visit_mut::visit_trait_bound_mut(self, bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn written(ty: Type) -> String {
        match Lifetimes::of(&ty) {
            Lifetimes::None => "none".to_owned(),
            Lifetimes::Bound(ty) => ty.to_token_stream().to_string(),
            Lifetimes::OfTrait(ty) => format!("of a trait: {}", ty.to_token_stream()),
        }
    }

    #[test]
    fn lifetimes_of_the_value_are_ignored() {
        for ty in [
            parse_quote!(Result<&'a str, String>),
            parse_quote!(io::Result<u32>),
            parse_quote!(Result<u32, &'static str>),
            parse_quote!(Result<u32, Box<dyn Error + 'static>>),
            parse_quote!(Result<u32, fn(&str) -> u8>),
            parse_quote!(Result<u32, Box<dyn Fn(&str) -> u8>>),
        ] {
            assert_eq!(written(ty), "none");
        }
    }

    #[test]
    fn lifetimes_of_the_error_are_bound() {
        let same = |ty: Type, expected: Type| assert_eq!(written(ty), expected.to_token_stream().to_string());
        same(
            parse_quote!(std::result::Result<u32, Borrowing<'a, T>>),
            parse_quote!(for<'__retry> fn(&'__retry ()) -> ::core::result::Result<(), Borrowing<'__retry, T>>),
        );
        same(
            parse_quote!(Result<u32, &(dyn Error + 'a)>),
            parse_quote!(
                for<'__retry> fn(&'__retry ()) -> ::core::result::Result<(), &'__retry (dyn Error + '__retry)>
            ),
        );
        same(parse_quote!(Out<'_>), parse_quote!(for<'__retry> fn(&'__retry ()) -> Out<'__retry>));
        same(parse_quote!(Result<'a, T>), parse_quote!(for<'__retry> fn(&'__retry ()) -> Result<'__retry, T>));
    }

    #[test]
    fn lifetimes_in_a_projection_are_not_bound() {
        assert!(written(parse_quote!(Result<u32, <u8 as Has<'a>>::E>)).starts_with("of a trait"));
        assert!(written(parse_quote!(L::Outcome<'a>)).starts_with("of a trait"));
        assert_eq!(written(parse_quote!(<S as Source>::Outcome)), "none");
    }

    #[test]
    fn an_impl_trait_is_not_bound() {
        assert_eq!(written(parse_quote!(Out<'a, impl Display>)), "none");
    }
}
