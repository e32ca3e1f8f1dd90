//! Writes the function again, with the loop around its body.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use retry_spec::key::Key;
use retry_spec::keywords;
use syn::{Ident, Token};

use super::attempt::inside;
use super::docs::{retries_section, wants_section};
use super::expansion::Expansion;
use super::tokens::{at, krate};
use super::{policy, rewrite};
use crate::args::model::{Arg, Arguments, Backoff, Shared};
use crate::input::async_block::same_delimiters;
use crate::input::block::Block;
use crate::input::function::{Function, Shape};

/// Input:
///
/// ```text
/// #[retry(attempts = 3)]
/// async fn load(&mut self, id: &str) -> Result<Row, Error> { BODY }
/// ```
///
/// Output, with paths shortened and without the prefix `__retry_` of the bindings. Signature and body are the user's own tokens.
/// Left out are the counters (`policy.rs`), the macro around the `async` block whose name is an advice (`attempt.rs`), and the
/// copies of a hedged attempt (`copies.rs`):
///
/// ```text
/// async fn load(&mut self, id: &str) -> Result<Row, Error> {
///     let mut executor = Executor::start(MacroCall::new(const { &CallSpec::new("module::load", POLICY, CONDITION) }));
///     loop {
///         let pause = {
///             let outcome = Executor::run(&mut executor, async {                  // the user's braces
///                 if let Some(pin) = None::<Result<Row, Error>> { return pin; }   // fixes the type before BODY is checked
///                 { const _: () = (); BODY }
///             }).await;
///             let kind = {
///                 use private::{ByMut as _, ByRef as _, ByValue as _};
///                 classify::<Result<Row, Error>>(&outcome).__step().__step().__step()
///             };
///             if Executor::succeeds(&mut executor, &outcome, kind) {
///                 return outcome;
///             }
///             let failed = outcome;
///             match Executor::after_failure(&mut executor, &failed, kind) {
///                 None => return failed,
///                 Some(next) => next.after(failed),                               // consumes the outcome
///             }
///         };
///         pause.await;
///     }
/// }
/// ```
///
/// A plain success returns before `failed` is borrowed, so the optimizer can keep it in registers. A body that is one `.await`
/// needs no `async` block; see `bind_outcome_of` in `attempt.rs`.
///
/// `__step` begins with `__`, because a blanket implementation of one of the user's traits may have a method of any other name, which
/// method lookup would find first. The other methods are inherent, and win.
pub(crate) fn expand(arguments: &Arguments, function: &Function) -> TokenStream {
    let Function { attrs, vis, defaultness, sig, body, shape, .. } = function;
    let span = at(sig.ident.span());
    let attribute = at(Span::call_site());
    let (sig, mutable) = rewrite::signature(arguments, sig);
    let expansion = Expansion { arguments, mutable, function, span, attribute, krate: krate(arguments, span) };
    let content = match shape {
        Shape::Async | Shape::Blocking => {
            let (inner_attributes, code) = rewrite::split_inner_attributes(body);
            let around = expansion.content(&same_delimiters(body, code));
            quote!(#inner_attributes #around)
        }
        Shape::Returned { future } => {
            let prologue = &future.prologue;
            let around = expansion.content(&future.body);
            future.wrap(quote!(#prologue #around))
        }
    };
    let body = same_delimiters(body, content);
    let section = wants_section(function).then(|| retries_section(arguments));
    let documentation = section.map(|section| quote_spanned!(expansion.span=> #[doc = #section]));
    quote!(#(#attrs)* #documentation #vis #defaultness #sig #body)
}

/// Input:
///
/// ```text
/// retrying!(attempts = 3, async move { BODY })
/// retrying!(blocking, attempts = 3, |attempt| EXPRESSION)
/// ```
///
/// Output, with the same loop as in [`expand`], in the user's `async` block or in a closure that is called:
///
/// ```text
/// async move { let mut executor = …; loop { … } }
/// (|| { let mut executor = …; loop { … } })()
/// ```
pub(crate) fn expand_block(arguments: &Arguments, Block { function, move_token, .. }: &Block) -> TokenStream {
    let expansion = of_block(arguments, function);
    match &function.shape {
        Shape::Returned { future } => future.wrap(expansion.content(&future.body)),
        Shape::Async | Shape::Blocking => {
            let content = expansion.content(&function.body);
            quote_spanned!(expansion.span=> (#move_token || { #content })())
        }
    }
}

/// The block of `retrying!` after an error: one attempt without a retry. The user's code stays in the expansion, so that its types are
/// known and an editor completes in it.
pub(crate) fn expand_once(arguments: &Arguments, block: &Block) -> TokenStream {
    let Block { function, move_token, .. } = block;
    let expansion = of_block(arguments, function);
    let Expansion { span, ref krate, .. } = expansion;
    let attempt = arguments
        .bind
        .as_ref()
        .map(|bind| &bind.value)
        .map(|name| quote_spanned!(at(name.span())=> let #name = #krate::private::attempt_of_an_invalid_call();));
    let (pin, body) = (expansion.pin(), inside(&function.body));
    let content = quote!(#pin #attempt #body);
    match &function.shape {
        Shape::Returned { future } => future.wrap(content),
        Shape::Async | Shape::Blocking => quote_spanned!(span=> (#move_token || { #content })()),
    }
}

fn of_block<'a>(arguments: &'a Arguments, function: &'a Function) -> Expansion<'a> {
    let span = at(function.sig.ident.span());
    // The user may change a clone, but has no place for its `mut`.
    let names = arguments.clone.iter().flat_map(|clone| &clone.value);
    let mutable = names.map(|name| (name.clone(), Token![mut](at(name.span())))).collect();
    // Not the position of the whole macro, which may be many lines long.
    Expansion { arguments, mutable, function, span, attribute: span, krate: krate(arguments, span) }
}

impl Expansion<'_> {
    /// The code in the braces of the function, or of the block that it returns.
    fn content(&self, body: &Group) -> TokenStream {
        let start = self.start();
        let pause = self.attempt_and_decide(body);
        let wait = self.wait();
        let iteration = quote_spanned! {self.span=>
            {
                let __retry_pause = #pause;
                __retry_pause #wait;
            }
        };
        quote_spanned!(self.attribute=> #start loop #iteration)
    }

    /// `let mut __retry_executor = …;`
    fn start(&self) -> TokenStream {
        let Self { arguments, function, span, ref krate, .. } = *self;
        let call_spec = policy::call_spec(arguments, function);
        let expressions = self.expressions();
        let with_observer = arguments
            .observer
            .as_ref()
            .map(|observer| quote_spanned!(at(observer.span)=> .with_observer(__retry_observer)));
        let with_policy =
            arguments.policy.as_ref().map(|policy| quote_spanned!(at(policy.span)=> .with_policy(__retry_policy)));
        let with_budget = self.with_budget();
        let with_history = needs_history(arguments).then(|| quote_spanned!(span=> .with_history()));
        let executor = quote_spanned! {span=>
            #krate::Executor::start(
                #krate::private::MacroCall::new(const { &#call_spec }) #with_policy #with_budget #with_observer #with_history
            )
        };
        let executor = match (&arguments.sleep, &arguments.blocking) {
            (Some(sleep), None) => {
                let path = &sleep.value;
                quote_spanned!(at(sleep.key.span())=> #executor.__sleep(#path))
            }
            _ => executor,
        };
        quote_spanned!(span=> #expressions let mut __retry_executor = #executor;)
    }

    /// `.with_budget()` for the budget of the constant policy, or `.with_own_budget(…)`.
    fn with_budget(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        let budget = arguments.budget.as_ref()?;
        if matches!(budget.value, Shared::Static(_)) && arguments.policy.is_none() {
            return Some(quote_spanned!(span=> .with_budget()));
        }
        let given = policy::shared(budget, "__retry_budget", "Budget", krate);
        Some(quote_spanned!(at(budget.span)=> .with_own_budget(#given)))
    }

    /// Evaluates the expressions, in the order in which they are written.
    fn expressions(&self) -> TokenStream {
        let Self { arguments, span, .. } = *self;
        let expressions = arguments.written.iter().filter_map(|written| match written.key {
            Key::Observer => {
                let observer = &arguments.observer.as_ref()?.value;
                Some(quote_spanned!(span=> let __retry_observer = &#observer;))
            }
            Key::Budget => self.shared(arguments.budget.as_ref()?, "budget"),
            Key::Breaker => self.shared(arguments.breaker.as_ref()?, "breaker"),
            Key::Policy => {
                let policy = &arguments.policy.as_ref()?.value;
                Some(quote_spanned!(span=> let __retry_policy = #policy;))
            }
            _ => None,
        });
        quote!(#(#expressions)*)
    }

    /// `let __retry_budget = Shared::get(&EXPRESSION);`
    fn shared(&self, given: &Arg<Shared>, key: &str) -> Option<TokenStream> {
        let Shared::Value(value) = &given.value else { return None };
        let span = at(given.span);
        let krate = krate(self.arguments, span);
        let name = Ident::new(&format!("__retry_{key}"), span);
        let function = Ident::new(key, span);
        // In its own statement, so that a temporary lives as long as the call.
        Some(quote_spanned!(span=> let #name = &#value; let #name = #krate::private::#function(#name);))
    }

    /// One attempt and the decision about its outcome: a block whose value is the pause, or which returns the outcome.
    ///
    /// It uses `return`. A loop that ends with `break outcome` would be an implicit return, for which the lint
    /// `clippy::implicit_return` would report the user's function.
    fn attempt_and_decide(&self, body: &Group) -> TokenStream {
        let Self { arguments, span, krate: ref runtime, .. } = *self;
        let bind = arguments.bind.as_ref().map(|bind| {
            let name = &bind.value;
            let krate = krate(arguments, at(bind.span));
            quote_spanned!(at(bind.span)=> let #name = &#krate::Executor::current(&__retry_executor);)
        });
        let attempt = match (policy::hedge(arguments), self.single_await(body)) {
            (Some(hedge), _) => self.hedged(&hedge, &self.attempt(body)),
            (None, Some(single)) => self.bind_outcome_of(&single),
            (None, None) => {
                let clones = self.clones();
                let outcome = self.bind_outcome(&self.running(&self.attempt(body)));
                quote!(#clones #outcome)
            }
        };
        // With a breaker, `attempt` has it already, unless the copies of a hedged attempt have it.
        let is_known = arguments.breaker.is_some() && arguments.hedge.is_none();
        let kind = (!is_known).then(|| self.kind());
        let required = [self.require_effect(), self.require_server_delay_is_read()];
        let plain_success = self.plain_success();
        let predicates = self.predicates();
        let hooks = self.hooks();
        let decide = match &hooks {
            None => quote_spanned! {span=>
                #runtime::Executor::after_failure(&mut __retry_executor, &__retry_failed, __retry_kind #predicates)
            },
            Some(hooks) => quote_spanned! {span=>
                #runtime::Executor::after_failure_with(&mut __retry_executor, &__retry_failed, __retry_kind #predicates, #hooks, &mut __retry_ending)
            },
        };
        let ending =
            hooks.as_ref().map(|_| quote_spanned!(span=> let mut __retry_ending = ::core::option::Option::None;));
        let ended = match hooks {
            None => quote_spanned!(span=> __retry_failed),
            Some(_) => quote_spanned!(span=> ::core::option::Option::unwrap_or(__retry_ending, __retry_failed)),
        };
        quote_spanned! {span=>
            {
                #bind
                #attempt
                #kind
                #(#required)*
                #plain_success
                let __retry_failed = __retry_outcome;
                #ending
                match #decide {
                    ::core::option::Option::None => return #ended,
                    ::core::option::Option::Some(__retry_next) => __retry_next.after(__retry_failed),
                }
            }
        }
    }

    fn wait(&self) -> TokenStream {
        let Self { arguments, function, span, .. } = *self;
        match (&function.shape, &arguments.sleep) {
            (Shape::Blocking, None) => quote_spanned!(span=> .block()),
            (Shape::Blocking, Some(sleep)) => {
                let path = &sleep.value;
                quote_spanned!(at(sleep.span)=> .block_with(#path))
            }
            _ => quote_spanned!(span=> .await),
        }
    }
}

/// Returns `true` if the executor must remember more than the number of the attempt. A policy that is known only at run time may
/// need it, so it always does.
fn needs_history(arguments: &Arguments) -> bool {
    let needs_previous_delay = |backoff: &Arg<Backoff>| {
        matches!(
            backoff.value,
            Backoff::Function(_) | Backoff::Closure(_) | Backoff::Keyword(keywords::Backoff::Decorrelated)
        )
    };
    arguments.bind.is_some()
        || arguments.policy.is_some()
        || arguments.deadline.is_some()
        || arguments.backoff.as_ref().is_some_and(needs_previous_delay)
}

#[cfg(test)]
mod tests;
