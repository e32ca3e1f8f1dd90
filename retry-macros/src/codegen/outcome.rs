//! Writes the classification of an outcome.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Expr, Ident, Type};

use super::expansion::Expansion;
use super::lifetimes::Lifetimes;
use super::tokens::{at, krate};
use super::{required, rewrite};
use crate::args::model::{Arg, Arguments, Backoff, OnError};
use crate::input::function::Shape;

impl Expansion<'_> {
    /// `let __retry_outcome = …;`, after which the circuit breaker counts the outcome. Its pass is outside the attempt, so that an
    /// attempt that a time limit stops is counted too.
    pub(super) fn bind_outcome(&self, running: &TokenStream) -> TokenStream {
        let Self { arguments, span, .. } = *self;
        let Some(breaker) = &arguments.breaker else {
            return quote_spanned!(span=> let __retry_outcome = #running;);
        };
        let krate = krate(arguments, at(breaker.span));
        let kind = self.kind();
        let pass = match arguments.hedge {
            Some(_) => quote_spanned!(at(breaker.span)=> __retry_pass),
            None => quote_spanned!(at(breaker.span)=> #krate::private::Pass::none()),
        };
        let settle = self.settle(at(breaker.span));
        quote_spanned! {at(breaker.span)=>
            let mut __retry_pass = #pass;
            let __retry_outcome = #running;
            #kind
            #settle
        }
    }

    /// Counts the outcome in the circuit breaker, which a server's delay may pause. With functions that read the delay:
    ///
    /// `settle_with(pass, failures, |failures| __retry_kind.with_predicates().error_delay(…).with_delays(&__retry_outcome, failures))`
    fn settle(&self, span: Span) -> TokenStream {
        let krate = krate(self.arguments, span);
        let delays = self.delays();
        if delays.is_empty() {
            return quote_spanned! {span=>
                #krate::private::Pass::settle(__retry_pass, __retry_kind.failures(&__retry_outcome));
            };
        }
        quote_spanned! {span=>
            #krate::private::Pass::settle_with(__retry_pass, __retry_kind.failures(&__retry_outcome), |__retry_failures| {
                __retry_kind.with_predicates() #delays .with_delays(&__retry_outcome, __retry_failures)
            });
        }
    }

    /// `let __retry_kind = …;`: how the types of the outcome are classified.
    ///
    /// Method lookup takes the first level that *may* fit. While the type of the error is still being inferred, that is the first
    /// one, whatever the type turns out to be. So a type that the macro does not know is asked for first: if rustc does not know
    /// it yet, the compile error asks the user for it.
    pub(super) fn kind(&self) -> TokenStream {
        let Self { span, ref krate, .. } = *self;
        let classify = self.classify();
        quote_spanned! {span=>
            let __retry_kind = {
                use #krate::private::{ByMut as _, ByRef as _, ByValue as _};
                #classify.__step().__step().__step()
            };
        }
    }

    /// Requires that rustc knows the types of an outcome by now. `types` is a `TypesOf`. The value is a `Known`.
    pub(super) fn require_known_types(&self, types: &TokenStream) -> TokenStream {
        let Self { span, ref krate, .. } = *self;
        quote_spanned! {span=>
            {
                use #krate::private::MustBeKnown as _;
                #krate::private::TypesOf::require(
                    #types,
                    |__retry_value, __retry_error| __retry_value.__known().__and(__retry_error.__known()),
                )
            }
        }
    }

    /// Returns a plain success at once. With `on_ok` or `until`, no value is certainly a success.
    pub(super) fn plain_success(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        (arguments.on_ok.is_none() && arguments.until.is_none()).then(|| {
            quote_spanned! {span=>
                if #krate::Executor::succeeds(&mut __retry_executor, &__retry_outcome, __retry_kind) {
                    return __retry_outcome;
                }
            }
        })
    }

    /// `classify::<Outcome>(&outcome)`. If the type has lifetimes, the runtime first finds out whether the error borrows.
    fn classify(&self) -> TokenStream {
        let outcome = quote_spanned!(self.span=> &__retry_outcome);
        let lifetimes = self.function.outcome().map_or(Lifetimes::None, Lifetimes::of);
        let selector = match lifetimes {
            Lifetimes::None if !self.knows_outcome() => {
                let Self { span, ref krate, .. } = *self;
                let types = quote_spanned!(span=> &#krate::private::TypesOf::outcome(&__retry_outcome));
                let known = self.require_known_types(&types);
                return quote_spanned!(span=> #known.__classify(#outcome));
            }
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
        let declared = self.knows_outcome().then(|| output.clone());
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
        match (self.function.outcome(), self.alias()) {
            (Some(outcome), _) => rewrite::in_expression(outcome),
            (None, Some(alias)) => rewrite::output_of_future(alias),
            (None, None) => quote_spanned!(self.span=> _),
        }
    }

    /// Returns `true` if [`outcome_type`](Self::outcome_type) is more than `_`.
    pub(super) fn knows_outcome(&self) -> bool {
        self.function.outcome().is_some() || self.alias().is_some()
    }

    /// The declared type of the future, if it does not name the outcome.
    fn alias(&self) -> Option<&Type> {
        match &self.function.shape {
            Shape::Returned { future } => future.alias.as_ref(),
            _ => None,
        }
    }

    /// Adds the predicates of the attribute to `__retry_kind`.
    pub(super) fn predicates(&self) -> TokenStream {
        let conditions = self.conditions();
        let until = predicate("until", &self.arguments.until);
        let delays = self.delays();
        self.with_predicates(quote!(#conditions #until #delays))
    }

    /// The same for a hedged copy, which needs only the conditions.
    pub(super) fn predicates_of_copy(&self) -> TokenStream {
        self.with_predicates(self.conditions())
    }

    fn with_predicates(&self, predicates: TokenStream) -> TokenStream {
        if predicates.is_empty() {
            return predicates;
        }
        quote_spanned!(self.span=> .with_predicates() #predicates)
    }

    /// The functions that read the delay of a server.
    fn delays(&self) -> TokenStream {
        let Arguments { server_delay, error_delay, .. } = self.arguments;
        let delays = [predicate("server_delay", server_delay), predicate("error_delay", error_delay)];
        quote!(#(#delays)*)
    }

    fn conditions(&self) -> TokenStream {
        let Self { arguments, .. } = *self;
        let on_ok = predicate("on_ok", &arguments.on_ok);
        let on_error = arguments.on_error.as_ref().and_then(|on_error| match &on_error.value {
            OnError::Predicate(predicate) => Some(quote_spanned!(at(on_error.span)=> .on_error(&mut { #predicate }))),
            _ => None,
        });
        quote!(#on_ok #on_error)
    }

    /// The additions to the decision: the hook, a backoff closure, and the outcome of a value that is never ready.
    pub(super) fn hooks(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        let on_retry = predicate("on_retry", &arguments.on_retry);
        let backoff = arguments.backoff.as_ref().and_then(|backoff| match &backoff.value {
            Backoff::Closure(closure) => Some(quote_spanned!(at(backoff.span)=> .backoff(&mut { #closure }))),
            _ => None,
        });
        let not_ready = arguments.until.is_some().then(|| {
            let not_ready = self.call_private("not_ready", None, TokenStream::new());
            quote_spanned!(span=> .not_ready(#not_ready))
        });
        let hooks = quote!(#on_retry #backoff #not_ready);
        (!hooks.is_empty()).then(|| quote_spanned!(span=> #krate::private::MacroHooks::of(&__retry_failed) #hooks))
    }

    /// Checks that the conditions can have an effect on this type of outcome.
    pub(super) fn require_effect(&self) -> Option<TokenStream> {
        let Self { arguments, function, span, ref krate, .. } = *self;
        let required = required::required(arguments, function.outcome())?;
        let inspect = quote_spanned!(span=> #krate::private::inspect(&__retry_outcome));
        let argument = required.argument(krate, &inspect, span);
        let required = self.call_private(required.name(), Some(quote!(, _)), argument);
        Some(quote_spanned!(span=> #required;))
    }

    /// Checks that `server_delay` can be called. Without `on_ok` and `until`, a value that cannot be classified is never retried.
    pub(super) fn require_server_delay_is_read(&self) -> Option<TokenStream> {
        let Self { arguments, span, .. } = *self;
        let retries_values = arguments.on_ok.is_some() || arguments.until.is_some();
        (arguments.server_delay.is_some() && !retries_values).then(|| {
            let required = self.call_private(
                "require_server_delay_is_read",
                Some(quote!(, _)),
                quote_spanned!(span=> __retry_kind),
            );
            quote_spanned!(span=> #required;)
        })
    }
}

/// `.name(&mut { CLOSURE })`. In braces, so that the path of a function is copied.
fn predicate(name: &str, argument: &Option<Arg<Expr>>) -> Option<TokenStream> {
    let Arg { value, span, .. } = argument.as_ref()?;
    let span = at(*span);
    let name = Ident::new(name, span);
    Some(quote_spanned!(span=> .#name(&mut { #value })))
}
