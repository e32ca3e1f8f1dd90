//! Writes one attempt: the body, with everything that runs at each attempt.

use proc_macro2::{Group, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, Receiver, ReceiverKind, Token, Type};

use super::expansion::Expansion;
use super::tokens::{at, krate};
use super::{policy, rewrite};
use crate::input::async_block::same_delimiters;
use crate::input::function::Shape;
use crate::input::single_await::SingleAwait;

impl Expansion<'_> {
    /// The body, after the code that runs at the start of each attempt.
    pub(super) fn attempt(&self, body: &Group) -> Group {
        let pin = self.pin();
        let admission = self.admission();
        let clones = self.cloned().map(|(mutability, name)| self.shadow(mutability, name, quote!(#name)));
        let inside = inside(body);
        same_delimiters(body, quote!(#pin #admission #(#clones)* #inside))
    }

    /// Runs an attempt without hedging.
    pub(super) fn running(&self, attempt: &Group) -> TokenStream {
        let Self { function, span, ref krate, .. } = *self;
        let advice = match function.sig.receiver() {
            _ if function.is_block => "each_attempt_borrows_variables_and_owns_those_in_clone",
            Some(receiver) if is_by_value(receiver) => "each_attempt_borrows_self_and_arguments_so_clone_in_the_body",
            _ => "each_attempt_borrows_arguments_and_owns_those_in_retry_clone",
        };
        let repeated = self.repeated(advice, attempt);
        if matches!(function.shape, Shape::Blocking) {
            let repeated = self.maybe_probe("maybe_probe_blocking", repeated);
            return quote_spanned!(span=> #krate::Executor::attempt_blocking(&mut __retry_executor, #repeated));
        }
        let repeated = self.maybe_probe("maybe_probe", repeated);
        if self.arguments.policy.is_some() && !self.knows_outcome() {
            return self.running_with_inferred_limit(&repeated);
        }
        match self.time_limit() {
            None => quote_spanned!(span=> #krate::Executor::run(&mut __retry_executor, #repeated).await),
            Some(limit) => {
                quote_spanned!(span=> #krate::Executor::run_limited(&mut __retry_executor, #repeated, #limit).await)
            }
        }
    }

    /// Runs an attempt whose time limit depends on a type that only rustc knows.
    fn running_with_inferred_limit(&self, repeated: &TokenStream) -> TokenStream {
        let Self { span, ref krate, .. } = *self;
        let known = self.require_known_types(&quote_spanned!(span=> &__retry_types));
        quote_spanned! {span=>
            {
                let (__retry_attempt, __retry_types) = #krate::private::TypesOf::attempt(#repeated);
                let __retry_limit = #known.__cutting(__retry_types).__cut(#krate::private::warned!());
                #krate::Executor::run_limited(&mut __retry_executor, __retry_attempt, __retry_limit).await
            }
        }
    }

    /// The body as a single `.await`, if nothing else is in the attempt.
    pub(super) fn single_await(&self, body: &Group) -> Option<SingleAwait> {
        let Self { arguments, function, .. } = *self;
        let is_bare = arguments.clone.is_none() && arguments.breaker.is_none() && self.time_limit().is_none();
        let is_async = !matches!(function.shape, Shape::Blocking);
        (is_bare && is_async).then(|| SingleAwait::read(body.stream(), &function.sig)).flatten()
    }

    /// `let __retry_outcome = …;` for such a body, without an `async` block, which would only add a layer to the future.
    ///
    /// The expression is evaluated after the attempt has begun and in its span, as in the block: `begin` comes first. The expression's
    /// temporaries live until the attempt has its outcome.
    pub(super) fn bind_outcome_of(&self, single: &SingleAwait) -> TokenStream {
        let span = at(single.start());
        let future = &single.future;
        let krate = krate(self.arguments, span);
        let output = self.outcome_type();
        quote_spanned!(span=> let __retry_outcome: #output = #krate::Executor::begin(&mut __retry_executor).run(#future).await;)
    }

    /// With a circuit breaker, lets calls inside the attempt find out whether it is the probe.
    pub(super) fn maybe_probe(&self, function: &str, attempt: TokenStream) -> TokenStream {
        let Some(breaker) = &self.arguments.breaker else { return attempt };
        let span = at(breaker.span);
        let (krate, function) = (krate(self.arguments, span), Ident::new(function, span));
        quote_spanned!(span=> #krate::private::#function(#attempt))
    }

    /// `async { ATTEMPT }`, or `|| { ATTEMPT }`, which each iteration of the loop runs.
    ///
    /// If the attempt consumes an argument, rustc's error points at this block, so the block has the position of the attribute.
    /// A `macro_rules!` macro of the runtime writes the block, because the name of that macro is the only text of ours that
    /// rustc prints with such an error. `advice` is that name.
    pub(super) fn repeated(&self, advice: &str, attempt: &Group) -> TokenStream {
        let Self { arguments, function, attribute, .. } = *self;
        let krate = krate(arguments, attribute);
        let advice = Ident::new(advice, attribute);
        let kind = match function.shape {
            Shape::Blocking => quote_spanned!(attribute=> blocking),
            Shape::Async | Shape::Returned { .. } => quote_spanned!(attribute=> async),
        };
        let private = function.is_block.then(|| quote_spanned!(attribute=> private::));
        quote_spanned!(attribute=> #krate::#private #advice!(#kind #attempt))
    }

    /// Returns without an attempt while the circuit breaker is open.
    pub(super) fn admission(&self) -> Option<TokenStream> {
        let breaker = self.arguments.breaker.as_ref()?;
        let span = at(breaker.span);
        let krate = krate(self.arguments, span);
        let place = policy::shared(breaker, "__retry_breaker", "Breaker", &krate);
        let rejected = self.call_private("rejected", None, quote_spanned!(span=> __retry_open));
        if matches!(self.function.shape, Shape::Blocking) {
            return Some(quote_spanned! {span=>
                if let ::core::result::Result::Err(__retry_open) = #krate::private::Pass::ask_blocking(&mut __retry_pass, #place) {
                    return #rejected;
                }
            });
        }
        // A closed breaker admits the attempt at once, without an await point.
        Some(quote_spanned! {span=>
            if let ::core::result::Result::Err(__retry_admission) = #krate::private::Pass::ask(&mut __retry_pass, #place) {
                if let ::core::result::Result::Err(__retry_open) = __retry_admission.await {
                    return #rejected;
                }
            }
        })
    }

    /// Clones the arguments for one attempt, outside its `async` block. Inside, the block would hold references to the originals,
    /// and would be `Send` only if they are `Sync`.
    pub(super) fn clones(&self) -> TokenStream {
        let clones = self.cloned().map(|(_, name)| {
            self.shadow(None, name, quote_spanned!(at(name.span())=> ::core::clone::Clone::clone(&#name)))
        });
        quote!(#(#clones)*)
    }

    pub(super) fn cloned(&self) -> impl Iterator<Item = (Option<Token![mut]>, &Ident)> {
        self.arguments.clone.iter().flat_map(|clone| &clone.value).map(|name| {
            let mutability =
                self.mutable.iter().find(|(mutable, _)| mutable == name).map(|(_, mutability)| *mutability);
            (mutability, name)
        })
    }

    /// Shadows an argument. The user asked for it with `clone`, so lints about shadowing are allowed.
    pub(super) fn shadow(&self, mutability: Option<Token![mut]>, name: &Ident, value: TokenStream) -> TokenStream {
        // Only a function's argument has a `mut` of the user's.
        let unused = self.function.is_block.then(|| quote_spanned!(at(name.span())=> #[allow(unused_mut)]));
        quote_spanned! {at(name.span())=>
            #unused
            #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::used_underscore_binding)]
            let #mutability #name = #value;
        }
    }

    /// Fixes the type of the outcome before rustc checks the body.
    ///
    /// The body becomes an `async` block or a closure, whose return type rustc infers. Without this statement, the first `?` or
    /// `return` in the body would be checked before the type is known: `?` could not convert errors, and a `return` of a
    /// `Box<T>` would not coerce to `Box<dyn Error>`.
    pub(super) fn pin(&self) -> Option<TokenStream> {
        if !self.knows_outcome() {
            return None;
        }
        let output = self.outcome_type();
        Some(quote_spanned! {self.span=>
            if let ::core::option::Option::Some(__retry_pin) = ::core::option::Option::None::<#output> {
                return __retry_pin;
            }
        })
    }

    /// The time limit of an attempt, as the last argument of `Executor::run_limited`.
    pub(super) fn time_limit(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        if arguments.policy.is_some() {
            let output = self.outcome_type();
            Some(quote_spanned!(span=> #krate::private::Cutting::<#output>::of().__cut(#krate::private::warned!())))
        } else if arguments.deadline.is_some() || arguments.attempt_timeout.is_some() {
            Some(self.call_private("limited", None, TokenStream::new()))
        } else if arguments.nested.is_some() {
            Some(quote_spanned!(span=> #krate::private::ScopedOnly))
        } else {
            None
        }
    }
}

/// The body in braces of its own, so that `use` statements in it do not affect the generated code around it.
///
/// The braces have the user's span, and so the user's edition. Before edition 2024, temporaries of a tail expression are dropped
/// after the local variables. The empty `const` item prevents two lints about the braces: rustc's `unused_braces`, and
/// clippy's `items_after_statements` about items of the body.
pub(super) fn inside(body: &Group) -> Group {
    let (inner_attributes, code) = rewrite::split_inner_attributes(body);
    let item = quote_spanned!(at(body.span())=> const _: () = (););
    same_delimiters(body, quote!(#inner_attributes #item #code))
}

/// Returns `true` for `self`, `mut self` and `self: Arc<Self>`.
fn is_by_value(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(..) => false,
        ReceiverKind::Typed(_, ty) => !matches!(**ty, Type::Reference(_)),
        _ => true,
    }
}
