//! Writes the classification of an outcome.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Ident;

use super::expansion::Expansion;
use super::lifetimes::Lifetimes;
use super::tokens::{at, krate};
use super::{required, rewrite};
use crate::args::model::OnError;

impl Expansion<'_> {
    /// `let __retry_outcome = …;`, after which the circuit breaker counts the outcome. Its pass is outside the attempt, so that an
    /// attempt that a time limit stops is counted too.
    pub(super) fn bind_outcome(&self, running: &TokenStream) -> TokenStream {
        let Self { arguments, span, .. } = *self;
        let Some(breaker) = &arguments.breaker else {
            return quote_spanned!(span=> let __retry_outcome = #running;);
        };
        let krate = krate(arguments, at(breaker.span));
        let classify = self.classify("__retry_outcome");
        let pass = match arguments.hedge {
            Some(_) => quote_spanned!(at(breaker.span)=> __retry_pass),
            None => quote_spanned!(at(breaker.span)=> #krate::private::Pass::none()),
        };
        quote_spanned! {at(breaker.span)=>
            let mut __retry_pass = #pass;
            let __retry_outcome = #running;
            let __retry_classify = &#classify;
            #krate::private::Pass::settle(__retry_pass, #krate::private::Classification::new(__retry_classify.__value(), __retry_classify.__error()));
        }
    }

    /// Returns a success that needs no classification. With `on_ok`, every success needs one.
    ///
    /// It comes before the code that takes the address of the outcome, which would force every success into memory.
    pub(super) fn plain_success(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        let classify = self.classify("__retry_outcome");
        arguments.on_ok.is_none().then(|| {
            quote_spanned! {span=>
                if #classify.__is_plain_success() {
                    return #krate::Executor::succeed(&mut __retry_executor, __retry_outcome);
                }
            }
        })
    }

    /// `classify::<Outcome>(&outcome)`. If the type has lifetimes, the runtime first finds out whether the error borrows.
    pub(super) fn classify(&self, outcome: &str) -> TokenStream {
        let outcome = Ident::new(outcome, self.span);
        let outcome = quote_spanned!(self.span=> &#outcome);
        let lifetimes = self.function.outcome().map_or(Lifetimes::None, Lifetimes::of);
        let selector = match lifetimes {
            Lifetimes::None => return self.call_private("classify", None, outcome),
            Lifetimes::Bound(ty) => quote!(Lifetimes::<#ty>),
            Lifetimes::OfTrait(ty) => quote!(MayBorrow::<#ty>),
        };
        let output = self.outcome_type();
        let span = output.clone().into_iter().next().map_or(self.span, |token| at(token.span()));
        let krate = krate(self.arguments, span);
        quote_spanned!(span=> #krate::private::#selector::of().__classify::<#output>(#outcome))
    }

    /// `private::name::<Outcome>(values)`, at the position of the type.
    ///
    /// The bounds of these functions are requirements on the user's type. With this position, rustc's error about a bound that is
    /// not satisfied points at the type in the signature.
    pub(super) fn call_private(&self, name: &str, more: Option<TokenStream>, values: TokenStream) -> TokenStream {
        let output = self.outcome_type();
        let declared = self.function.outcome().map(|_| output.clone());
        let place = |token: Option<TokenTree>| token.map_or(self.span, |token| at(token.span()));
        let first = place(declared.clone().and_then(|output| output.into_iter().next()));
        let last = place(declared.and_then(|output| output.into_iter().last()));
        let krate = krate(self.arguments, first);
        let name = Ident::new(name, first);
        let mut values = Group::new(Delimiter::Parenthesis, values);
        values.set_span(last);
        quote_spanned!(first=> #krate::private::#name::<#output #more> #values)
    }

    /// The declared type of the outcome, in a form that is allowed in an expression.
    pub(super) fn outcome_type(&self) -> TokenStream {
        self.function.outcome().map_or_else(|| quote!(_), rewrite::in_expression)
    }

    pub(super) fn classification(&self) -> TokenStream {
        let Self { arguments, span, ref krate, .. } = *self;
        let on_ok = arguments.on_ok.as_ref().map(|on_ok| {
            let predicate = &on_ok.value;
            quote_spanned!(at(on_ok.span)=> .on_ok(__retry_classify.__refused(&mut { #predicate })))
        });
        let on_error = arguments.on_error.as_ref().and_then(|on_error| match &on_error.value {
            OnError::Predicate(predicate) => {
                Some(quote_spanned!(at(on_error.span)=> .on_error(__retry_classify.__decided(&mut { #predicate }))))
            }
            _ => None,
        });
        quote_spanned!(span=> #krate::private::Classification::new(__retry_classify.__value(), __retry_classify.__error()) #on_ok #on_error)
    }

    /// Adds the server's delay that `server_delay` reads.
    pub(super) fn with_server_delay(&self, classification: TokenStream) -> TokenStream {
        let Self { arguments, ref krate, .. } = *self;
        let Some(server_delay) = &arguments.server_delay else { return classification };
        let read = &server_delay.value;
        quote_spanned!(at(server_delay.span)=> __retry_classify.__delayed(#krate::Executor::condition(&__retry_executor), #classification, &mut { #read }))
    }

    /// Checks that the conditions can have an effect on this type of outcome.
    pub(super) fn require_effect(&self) -> Option<TokenStream> {
        let Self { arguments, function, span, ref krate, .. } = *self;
        let required = required::required(arguments, function.outcome())?;
        let inspect = quote_spanned!(span=> __retry_classify.__inspect());
        let argument = required.argument(krate, &inspect, span);
        let required = self.call_private(required.name(), Some(quote!(, _)), argument);
        Some(quote_spanned!(span=> #required;))
    }

    /// Checks that `server_delay` can be called. Without `on_ok`, a value that cannot be classified is never retried.
    pub(super) fn require_server_delay_is_read(&self) -> Option<TokenStream> {
        let Self { arguments, span, .. } = *self;
        (arguments.server_delay.is_some() && arguments.on_ok.is_none()).then(|| {
            let required = self.call_private(
                "require_server_delay_is_read",
                Some(quote!(, _)),
                quote_spanned!(span=> __retry_classify.__reads_delay()),
            );
            quote_spanned!(span=> #required;)
        })
    }
}
