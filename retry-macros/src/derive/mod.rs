//! `#[derive(Retryable)]`: implements `Retryable` for a type from attributes on its variants.
//!
//! ```text
//! #[derive(Retryable)]
//! enum PushError {
//!     #[retryable(transient, unprocessed, server_delay = wait)]
//!     Busy { wait: Duration },
//!     #[retryable(source)]
//!     Transport(reqwest::Error),
//!     Parse,
//! }
//! ```
//!
//! Output, with paths shortened:
//!
//! ```text
//! impl Retryable for PushError {
//!     fn class(&self) -> Class {
//!         match self {
//!             Self::Busy { .. } => Class::Transient,
//!             Self::Transport { 0: field, .. } => Failure::class(&__failure!(field)),
//!             Self::Parse { .. } => Class::Unknown,
//!         }
//!     }
//!     fn status(&self) -> Option<u16> { … }
//!     fn server_delay(&self) -> Option<Duration> { … }
//!     fn is_unprocessed(&self) -> bool { … }
//! }
//! ```

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Item, Path, WherePredicate, parse_quote};

use crate::codegen::lifetimes::Lifetimes;
use crate::codegen::tokens::at;
use crate::errors::Errors;
use read::{Field, Input, Meaning, Variant};

mod read;

pub(crate) fn derive(item: TokenStream) -> syn::Result<TokenStream> {
    let item: Item = syn::parse2(item)?;
    let mut errors = Errors::new();
    let input = Input::read(&item, &mut errors);
    match (errors.finish(), input) {
        (Ok(()), Some(input)) => Ok(write(&input)),
        (Err(errors), Some(input)) => Ok(fallback(&input, &errors)),
        (errors, None) => errors.map(|()| TokenStream::new()),
    }
}

/// The errors, and an implementation. Without one, rustc would report a second error at each use of the trait.
fn fallback(input: &Input, errors: &syn::Error) -> TokenStream {
    let krate = &input.krate;
    let errors = errors.to_compile_error();
    let implementation = implement(
        input,
        quote! {
            fn class(&self) -> #krate::Class {
                #krate::Class::Unknown
            }
        },
    );
    quote!(#errors #implementation)
}

fn write(input: &Input) -> TokenStream {
    let krate = &input.krate;
    let class = matched(input, class);
    let has_source = |meaning: &Meaning| meaning.source().is_some();
    let has_status = |meaning: &Meaning| meaning.status().or(meaning.source()).is_some();
    let has_delay = |meaning: &Meaning| meaning.server_delay().or(meaning.source()).is_some();
    let has_unprocessed = |meaning: &Meaning| meaning.is_unprocessed() || meaning.source().is_some();
    let delay = delay_type();
    let no_retry_type = quote!(::core::option::Option<#krate::private::NoRetry>);
    let methods = [
        method(input, has_status, quote!(status(&self) -> ::core::option::Option<::core::primitive::u16>), status),
        method(input, has_delay, quote!(server_delay(&self) -> #delay), server_delay),
        method(input, has_source, quote!(breaker_delay(&self) -> #delay), breaker_delay),
        method(input, has_unprocessed, quote!(is_unprocessed(&self) -> ::core::primitive::bool), is_unprocessed),
        method(input, has_source, quote!(is_timeout(&self) -> ::core::primitive::bool), is_timeout),
        method(input, has_source, quote!(no_retry(&self) -> #no_retry_type), no_retry),
        method(input, has_source, quote!(failure(&self) -> #krate::Failure), failure_of_variant),
    ];
    implement(
        input,
        quote! {
            fn class(&self) -> #krate::Class { #class }
            #(#methods)*
        },
    )
}

/// A method of the trait, or `None` if no variant needs it. Then the trait's default method is right.
fn method(
    input: &Input,
    has: fn(&Meaning) -> bool,
    signature: TokenStream,
    arm: fn(&Path, &Variant) -> TokenStream,
) -> Option<TokenStream> {
    input.variants.iter().any(|variant| has(&variant.meaning)).then(|| {
        let arms = matched(input, arm);
        quote!(fn #signature { #arms })
    })
}

fn implement(input: &Input, methods: TokenStream) -> TokenStream {
    let Input { krate, ident, .. } = input;
    let generics = bounded(input);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #krate::Retryable for #ident #ty_generics #where_clause {
            #methods
        }
    }
}

fn matched(input: &Input, arm: fn(&Path, &Variant) -> TokenStream) -> TokenStream {
    let arms = input.variants.iter().map(|variant| arm(&input.krate, variant));
    // For the compiler an empty enum has no values, but a reference to one has.
    let place = if input.variants.is_empty() { quote!(*self) } else { quote!(self) };
    quote!(match #place { #(#arms)* })
}

fn class(krate: &Path, variant: &Variant) -> TokenStream {
    match &variant.meaning {
        Meaning::Unknown => without_field(variant, quote!(#krate::Class::Unknown)),
        Meaning::Transient { .. } => without_field(variant, quote!(#krate::Class::Transient)),
        Meaning::Permanent => without_field(variant, quote!(#krate::Class::Permanent)),
        // Only `status` converts the field, so that a wrong type is one error.
        Meaning::Status { .. } => {
            without_field(variant, quote!(#krate::private::class_of(#krate::Retryable::status(self))))
        }
        Meaning::Source(source) => {
            let class = |failure| quote!(#krate::Failure::class(&#failure));
            with_field(variant, source, |name| class(failure(krate, source, name)))
        }
    }
}

fn status(krate: &Path, variant: &Variant) -> TokenStream {
    if let Some(source) = variant.meaning.source() {
        let status = |failure| quote!(#krate::Failure::status(&#failure));
        return with_field(variant, source, |name| status(failure(krate, source, name)));
    }
    match variant.meaning.status() {
        None => without_field(variant, quote!(::core::option::Option::None)),
        Some(code) => with_field(variant, code, |name| {
            let code = status_in(krate, code, name);
            quote!(::core::option::Option::Some(#code))
        }),
    }
}

fn server_delay(krate: &Path, variant: &Variant) -> TokenStream {
    if let Some(source) = variant.meaning.source() {
        let delay = |failure| quote!(#krate::Failure::server_delay(&#failure));
        return with_field(variant, source, |name| delay(failure(krate, source, name)));
    }
    match variant.meaning.server_delay() {
        None => without_field(variant, quote!(::core::option::Option::None)),
        Some(delay) => with_field(variant, delay, |name| converted(krate, "delay_in", delay, name)),
    }
}

fn breaker_delay(krate: &Path, variant: &Variant) -> TokenStream {
    of_source(krate, variant, &quote!(::core::option::Option::None), &quote!(breaker_delay))
}

fn is_unprocessed(krate: &Path, variant: &Variant) -> TokenStream {
    let value = variant.meaning.is_unprocessed();
    of_source(krate, variant, &quote!(#value), &quote!(is_unprocessed))
}

fn is_timeout(krate: &Path, variant: &Variant) -> TokenStream {
    of_source(krate, variant, &quote!(false), &quote!(is_timeout))
}

fn no_retry(krate: &Path, variant: &Variant) -> TokenStream {
    of_source(krate, variant, &quote!(::core::option::Option::None), &quote!(no_retry))
}

/// The whole `Failure` of a source, from one search. It contains more than the methods of the trait return, and the search takes
/// linear time for nested errors.
fn failure_of_variant(krate: &Path, variant: &Variant) -> TokenStream {
    match variant.meaning.source() {
        None => without_field(variant, quote!(#krate::private::from_methods(self))),
        Some(source) => with_field(variant, source, |name| failure(krate, source, name)),
    }
}

/// The `Failure` of a source.
fn failure(krate: &Path, Field { ty, .. }: &Field, name: &Ident) -> TokenStream {
    match Lifetimes::of_error(ty) {
        Lifetimes::None => quote!(#krate::__failure!(#name)),
        Lifetimes::Bound(outcome) => quote!(#krate::__failure!(#name, Lifetimes, #outcome)),
        Lifetimes::OfTrait(outcome) => quote!(#krate::__failure!(#name, MayBorrow, #outcome)),
    }
}

/// A method that has this value without a source, and that of the source's `Failure` otherwise.
fn of_source(krate: &Path, variant: &Variant, without: &TokenStream, method: &TokenStream) -> TokenStream {
    match variant.meaning.source() {
        None => without_field(variant, without.clone()),
        Some(source) => with_field(variant, source, |name| {
            let failure = failure(krate, source, name);
            quote!(#krate::Failure::#method(&#failure))
        }),
    }
}

fn without_field(variant: &Variant, value: TokenStream) -> TokenStream {
    let path = &variant.path;
    quote!(#path { .. } => #value,)
}

/// One match arm that binds a field. The pattern has braces, which fit all kinds of variants: `Self::A { 0: field, .. }` also matches
/// a tuple.
fn with_field(variant: &Variant, field: &Field, value: impl FnOnce(&Ident) -> TokenStream) -> TokenStream {
    let Variant { path, .. } = variant;
    let Field { member, ty } = field;
    let name = Ident::new("__retry_field", at(ty.span()));
    let value = value(&name);
    quote!(#path { #member: #name, .. } => #value,)
}

fn status_in(krate: &Path, field: &Field, name: &Ident) -> TokenStream {
    converted(krate, "status_in", field, name)
}

/// Converts a field by a function of the runtime.
///
/// If the type does not convert, the error points at the type of the user's field: every token of the call has that position, also
/// those inside the path of the crate, which keep their hygiene.
fn converted(krate: &Path, function: &str, field: &Field, name: &Ident) -> TokenStream {
    let span = at(field.ty.span());
    let function = Ident::new(function, span);
    let call = quote_spanned!(span=> #krate::private::#function(#name));
    let located = call.into_iter().map(|mut tree| {
        tree.set_span(tree.span().located_at(span));
        tree
    });
    located.collect()
}

fn delay_type() -> TokenStream {
    quote!(::core::option::Option<::core::time::Duration>)
}

/// The generics with bounds for the fields that are used. Other type parameters need no bound.
fn bounded(input: &Input) -> Generics {
    let Input { krate, generics, .. } = input;
    let mut bounded = generics.clone();
    for Variant { meaning, .. } in &input.variants {
        let delay = delay_type();
        bound(&mut bounded, meaning.source(), &quote!(#krate::Retryable));
        bound(
            &mut bounded,
            meaning.status(),
            &quote!(::core::marker::Copy + ::core::convert::Into<::core::primitive::u16>),
        );
        bound(&mut bounded, meaning.server_delay(), &quote!(::core::marker::Copy + ::core::convert::Into<#delay>));
    }
    bounded
}

fn bound(generics: &mut Generics, field: Option<&Field>, bounds: &TokenStream) {
    let Some(Field { ty, .. }) = field else {
        return;
    };
    if is_generic(ty.to_token_stream(), generics) {
        let predicate: WherePredicate = parse_quote!(#ty: #bounds);
        generics.make_where_clause().predicates.push(predicate);
    }
}

/// Returns `true` if the type contains a type parameter.
fn is_generic(ty: TokenStream, generics: &Generics) -> bool {
    ty.into_iter().any(|tree| match tree {
        TokenTree::Ident(name) => generics.type_params().any(|parameter| parameter.ident == name),
        TokenTree::Group(group) => is_generic(group.stream(), generics),
        _ => false,
    })
}

#[cfg(test)]
mod tests;
