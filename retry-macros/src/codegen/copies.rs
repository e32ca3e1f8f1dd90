//! Writes the copies of a hedged attempt.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::quote_spanned;

use super::expansion::Expansion;
use super::policy;
use super::tokens::{at, krate};

impl Expansion<'_> {
    /// Runs copies of the attempt. All copies borrow the same arguments:
    ///
    /// ```text
    /// let condition = Executor::condition(&executor);
    /// let outcome = {
    ///     let mut hedged = pin!(Executor::hedged(&executor, const { &Hedge::after(DELAY) }, (), Unlimited));
    ///     loop {
    ///         Hedged::add(Pin::as_mut(&mut hedged), async {
    ///             let outcome = async { ATTEMPT }.await;
    ///             let kind = …;
    ///             HedgeOutcome::new(condition, outcome, kind)
    ///         });
    ///         if let Some(outcome) = Executor::run_hedged(&mut executor, Pin::as_mut(&mut hedged)).await {
    ///             break outcome;
    ///         }
    ///     }
    /// };
    /// ```
    ///
    /// The copies are created in the loop of the function, not in a closure that the runtime calls. So rustc's borrow errors
    /// are those of any other attempt, and the future is `Send` although the arguments in `clone` may not be `Sync`.
    pub(super) fn hedged(&self, hedge: &TokenStream, attempt: &Group) -> TokenStream {
        let Self { attribute, krate: ref runtime, .. } = *self;
        let clones = self.clones();
        let copy = self.copy(attempt);
        // The circuit breaker admits a copy before it is started.
        let breaker = self.breaker_for_copies();
        let pass = self.arguments.breaker.as_ref().map(|breaker| {
            let (krate, span) = (krate(self.arguments, at(breaker.span)), at(breaker.span));
            quote_spanned!(span=> let __retry_pass = #krate::private::Hedged::pass(::core::pin::Pin::as_mut(&mut __retry_hedged));)
        });
        let time_limit = self.time_limit().unwrap_or_else(|| quote_spanned!(attribute=> #runtime::private::Unlimited));
        // At the position of `hedge`, because rustc's error about a consumed argument points at this loop.
        let copies =
            quote_spanned!(self.arguments.hedge.as_ref().map_or(attribute, |hedge| at(hedge.key.span()))=> loop);
        quote_spanned! {attribute=>
            let __retry_condition = #runtime::Executor::condition(&__retry_executor);
            let __retry_outcome = {
                let mut __retry_hedged = ::core::pin::pin!(#runtime::Executor::hedged(&__retry_executor, #hedge, #breaker, #time_limit));
                #copies {
                    #clones
                    #pass
                    #runtime::private::Hedged::add(::core::pin::Pin::as_mut(&mut __retry_hedged), #copy);
                    let __retry_done = #runtime::Executor::run_hedged(&mut __retry_executor, ::core::pin::Pin::as_mut(&mut __retry_hedged)).await;
                    if let ::core::option::Option::Some(__retry_outcome) = __retry_done {
                        break __retry_outcome;
                    }
                }
            };
        }
    }

    /// One copy of the attempt, with the classification of its outcome.
    pub(super) fn copy(&self, attempt: &Group) -> TokenStream {
        let Self { span, attribute, ref krate, .. } = *self;
        let attempt = self.maybe_probe("maybe_probe", quote_spanned!(attribute=> async #attempt));
        let outcome = self.bind_outcome(&quote_spanned!(attribute=> #attempt.await));
        // With a breaker, the kind is known already.
        let kind = self.arguments.breaker.is_none().then(|| self.kind());
        let predicates = self.predicates_of_copy();
        let classified = quote_spanned! {span=>
            #outcome
            #kind
            #krate::private::HedgeOutcome::new(__retry_condition, __retry_outcome, __retry_kind #predicates)
        };
        let mut copy = Group::new(Delimiter::Brace, classified);
        copy.set_span(attribute);
        let advice = match self.function.is_block {
            true => "hedged_copies_share_all_variables_except_those_in_clone",
            false => "hedged_copies_share_all_arguments_except_those_in_clone",
        };
        self.repeated(advice, &copy)
    }

    /// The value that admits copies: a circuit breaker, or `()`.
    pub(super) fn breaker_for_copies(&self) -> TokenStream {
        let Some(breaker) = &self.arguments.breaker else { return quote_spanned!(self.span=> ()) };
        let span = at(breaker.span);
        let krate = krate(self.arguments, span);
        let place = policy::shared(breaker, "__retry_breaker", "Breaker", &krate);
        quote_spanned!(span=> #krate::private::BreakerForCopies::of(#place))
    }
}
