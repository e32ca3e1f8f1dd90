//! Writes the function again, with the loop around its body.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Ident, Path, Token};

use crate::arguments::{Arg, Arguments, Backoff, OnError};
use crate::documentation::{retries_section, wants_section};
use crate::frame::like;
use crate::function::{Function, Shape};
use crate::lifetimes::Lifetimes;
use crate::plan;
use crate::required;
use crate::rewrite;

/// Input:
///
/// ```text
/// #[retry(attempts = 3)]
/// async fn load(&mut self, id: &str) -> Result<Row, Error> { BODY }
/// ```
///
/// Output, with paths shortened; signature and body are the user's own tokens:
///
/// ```text
/// async fn load(&mut self, id: &str) -> Result<Row, Error> {
///     let mut executor = Executor::start(MacroCall::new(|| const { &CallSpec::new("module::load", POLICY, CONDITION) }));
///     loop {
///         let pause = {
///             let outcome = Executor::run(&mut executor, async {                  // the user's braces
///                 if let Some(pin) = None::<Result<Row, Error>> { return pin; }   // pins the type before BODY is checked
///                 { const _: () = (); BODY }
///             }, Unlimited).await;
///             if classify::<Result<Row, Error>>(&outcome).__is_plain_success() {     // nothing takes its address: it stays
///                 return Executor::succeed(&mut executor, outcome);               // in registers
///             }
///             let failed = outcome;
///             let known = &classify::<Result<Row, Error>>(&failed);
///             let classification = Classification::new(known.__value(), known.__error());
///             match Executor::decide(&mut executor, classification, &known.__reason()) {
///                 None => return failed,
///                 Some(again) => again.after(known.__discard(), failed),
///             }
///         };                                                                      // the outcome has left scope
///         pause.await;
///     }
/// }
/// ```
///
/// Methods are called as functions, or have names that nobody else gives: a trait of the user's for all types may have
/// methods of any other name, and method lookup would come to them first.
pub(crate) fn expand(arguments: &Arguments, function: &Function) -> TokenStream {
    let Function { attrs, vis, defaultness, sig, body, shape } = function;
    let span = at(sig.ident.span());
    let attribute = at(Span::call_site());
    let (sig, mutable) = rewrite::signature(arguments, sig);
    let expansion = Expansion { arguments, mutable, function, span, attribute, krate: krate(arguments, span) };
    let content = match shape {
        Shape::Async | Shape::Blocking => {
            let (inner_attributes, code) = rewrite::split_inner_attributes(body);
            let around = expansion.content(&like(body, code));
            quote!(#inner_attributes #around)
        }
        Shape::Returned { frame } => {
            let prologue = &frame.prologue;
            let around = expansion.content(&frame.body);
            frame.wrap(quote!(#prologue #around))
        }
    };
    let body = like(body, content);
    let section = wants_section(function).then(|| retries_section(arguments));
    let documentation = section.map(|section| quote_spanned!(expansion.span=> #[doc = #section]));
    quote!(#(#attrs)* #documentation #vis #defaultness #sig #body)
}

/// Positions of the user's, names and lints of the macro's.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

struct Expansion<'a> {
    arguments: &'a Arguments,
    /// The cloned arguments that are `mut`.
    mutable: Vec<(Ident, Token![mut])>,
    function: &'a Function,
    /// Of the function's name: for what has no better place.
    span: Span,
    /// Of the whole attribute: for the loop.
    attribute: Span,
    krate: Path,
}

impl Expansion<'_> {
    /// What stands in the braces of the function, or of the block that it returns.
    fn content(&self, body: &Group) -> TokenStream {
        let start = self.start();
        let once = self.once(body);
        let wait = self.wait();
        let again = quote_spanned! {self.span=>
            {
                let __retry_pause = #once;
                __retry_pause #wait;
            }
        };
        quote_spanned!(self.attribute=> #start loop #again)
    }

    /// `let mut __retry_executor = …;`
    fn start(&self) -> TokenStream {
        let Self { arguments, function, span, ref krate, .. } = *self;
        let plan = plan::plan(arguments, &function.sig.ident);
        let given = self.given();
        let with_observer = arguments
            .observer
            .as_ref()
            .map(|observer| quote_spanned!(at(observer.span)=> .with_observer(__retry_observer)));
        let with_policy =
            arguments.policy.as_ref().map(|policy| quote_spanned!(at(policy.span)=> .with_policy(__retry_policy)));
        let with_history = needs_history(arguments).then(|| quote_spanned!(span=> .with_history()));
        let executor = quote_spanned! {span=>
            #krate::Executor::start(
                #krate::private::MacroCall::new(|| const { &#plan }) #with_policy #with_observer #with_history
            )
        };
        let executor = match (&arguments.sleep, &arguments.blocking) {
            (Some(sleep), None) => {
                let path = &sleep.value;
                quote_spanned!(at(sleep.key.span())=> #executor.__sleep(#path))
            }
            _ => executor,
        };
        quote_spanned!(span=> #given let mut __retry_executor = #executor;)
    }

    /// The values of expressions, in the order in which they were written.
    fn given(&self) -> TokenStream {
        let Self { arguments, span, .. } = *self;
        let given = arguments.written.iter().filter_map(|key| {
            if key == "observer" {
                let observer = &arguments.observer.as_ref()?.value;
                Some(quote_spanned!(span=> let __retry_observer = &#observer;))
            } else if key == "policy" {
                let policy = &arguments.policy.as_ref()?.value;
                Some(quote_spanned!(span=> let __retry_policy = #policy;))
            } else {
                None
            }
        });
        quote!(#(#given)*)
    }

    /// One attempt and what follows from it: a block that gives a pause, or returns the outcome. A loop that
    /// breaks with it would be an implicit return, which some deny.
    fn once(&self, body: &Group) -> TokenStream {
        let Self { arguments, span, ref krate, .. } = *self;
        let bind = arguments.bind.as_ref().map(|bind| {
            let name = &bind.value;
            let krate = self::krate(arguments, at(bind.span));
            quote_spanned!(at(bind.span)=> let #name = &#krate::Executor::current(&__retry_executor);)
        });
        let attempt = self.attempt(body);
        let attempt = match plan::hedge(arguments) {
            Some(hedge) => self.hedged(&hedge, &attempt),
            None => {
                let clones = self.clones();
                let outcome = self.outcome_of(&self.running(&attempt));
                quote!(#clones #outcome)
            }
        };
        let plain_success = self.plain_success();
        let known = self.known("__retry_failed");
        let classification = self.delayed(self.classification());
        let required = [self.require_effect(), self.require_server_delay_is_read()];
        quote_spanned! {span=>
            {
                #bind
                #attempt
                #plain_success
                let __retry_failed = __retry_outcome;
                let __retry_known = &#known;
                #(#required)*
                let __retry_findings = #classification;
                match #krate::Executor::decide(&mut __retry_executor, __retry_findings, &__retry_known.__reason()) {
                    ::core::option::Option::None => return __retry_failed,
                    ::core::option::Option::Some(__retry_again) => __retry_again.after(__retry_known.__discard(), __retry_failed),
                }
            }
        }
    }

    /// Lets a success leave of which there is nothing to ask.
    fn plain_success(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        let known = self.known("__retry_outcome");
        arguments.on_ok.is_none().then(|| {
            quote_spanned! {span=>
                if #known.__is_plain_success() {
                    return #krate::Executor::succeed(&mut __retry_executor, __retry_outcome);
                }
            }
        })
    }

    /// The body with all that belongs to one attempt.
    fn attempt(&self, body: &Group) -> Group {
        let pin = self.pin();
        let admission = self.admission();
        let clones = self.cloned().map(|(mutability, name)| self.shadow(mutability, name, quote!(#name)));
        let inside = inside(body);
        like(body, quote!(#pin #admission #(#clones)* #inside))
    }

    /// Runs the attempt, of which there are no copies.
    fn running(&self, attempt: &Group) -> TokenStream {
        let Self { function, span, ref krate, .. } = *self;
        let repeated = self.repeated("run_body_again_with_clone_for_consumed_arguments", attempt);
        if matches!(function.shape, Shape::Blocking) {
            let repeated = self.maybe_probe("maybe_probe_blocking", repeated);
            return quote_spanned!(span=> #krate::Executor::attempt_blocking(&mut __retry_executor, #repeated));
        }
        let repeated = self.maybe_probe("maybe_probe", repeated);
        let cut = self.cut();
        quote_spanned!(span=> #krate::Executor::run(&mut __retry_executor, #repeated, #cut).await)
    }

    /// Behind a breaker, lets calls inside the attempt find out whether it is the probe.
    fn maybe_probe(&self, function: &str, attempt: TokenStream) -> TokenStream {
        let Some(breaker) = &self.arguments.breaker else { return attempt };
        let span = at(breaker.span);
        let (krate, function) = (krate(self.arguments, span), Ident::new(function, span));
        quote_spanned!(span=> #krate::private::#function(#attempt))
    }

    /// `async { ATTEMPT }`, or `|| { ATTEMPT }`, which each iteration of the loop runs. If the attempt consumes an argument,
    /// the error points at this block, so the block has the position of the attribute. A macro makes the block, because the name
    /// of a macro is the only text of ours that rustc prints with such an error.
    fn repeated(&self, advice: &str, attempt: &Group) -> TokenStream {
        let Self { arguments, function, attribute, .. } = *self;
        let krate = krate(arguments, attribute);
        let advice = Ident::new(advice, attribute);
        let kind = match function.shape {
            Shape::Blocking => quote_spanned!(attribute=> blocking),
            Shape::Async | Shape::Returned { .. } => quote_spanned!(attribute=> async),
        };
        quote_spanned!(attribute=> #krate::#advice!(#kind #attempt))
    }

    /// Runs copies of the attempt. All of them borrow what the body does:
    ///
    /// ```text
    /// let condition = Executor::condition(&executor);
    /// let outcome = {
    ///     let mut hedged = pin!(Executor::hedged(&executor, const { &Hedge::after(DELAY) }, (), Unlimited));
    ///     loop {
    ///         Hedged::add(Pin::as_mut(&mut hedged), async {
    ///             let outcome = async { ATTEMPT }.await;
    ///             let known = &classify::<Result<Row, Error>>(&outcome);
    ///             let classification = Classification::new(known.__value(), known.__error());
    ///             HedgeOutcome::new(condition, classification, outcome)
    ///         });
    ///         if let Some(outcome) = Executor::run_hedged(&mut executor, Pin::as_mut(&mut hedged)).await {
    ///             break outcome;
    ///         }
    ///     }
    /// };
    /// ```
    fn hedged(&self, hedge: &TokenStream, attempt: &Group) -> TokenStream {
        let Self { attribute, ref krate, .. } = *self;
        let clones = self.clones();
        let copy = self.copy(attempt);
        // The breaker has let a copy through before it is made.
        let entrance = self.entrance();
        let pass = self.arguments.breaker.as_ref().map(|breaker| {
            let (krate, span) = (self::krate(self.arguments, at(breaker.span)), at(breaker.span));
            quote_spanned!(span=> let __retry_pass = #krate::private::Hedged::pass(::core::pin::Pin::as_mut(&mut __retry_hedged));)
        });
        let cut = self.cut();
        let copies =
            quote_spanned!(self.arguments.hedge.as_ref().map_or(attribute, |hedge| at(hedge.key.span()))=> loop);
        quote_spanned! {attribute=>
            let __retry_condition = #krate::Executor::condition(&__retry_executor);
            let __retry_outcome = {
                let mut __retry_hedged = ::core::pin::pin!(#krate::Executor::hedged(&__retry_executor, #hedge, #entrance, #cut));
                #copies {
                    #clones
                    #pass
                    #krate::private::Hedged::add(::core::pin::Pin::as_mut(&mut __retry_hedged), #copy);
                    let __retry_done = #krate::Executor::run_hedged(&mut __retry_executor, ::core::pin::Pin::as_mut(&mut __retry_hedged)).await;
                    if let ::core::option::Option::Some(__retry_outcome) = __retry_done {
                        break __retry_outcome;
                    }
                }
            };
        }
    }

    /// One copy of the attempt, with what is found out about its outcome.
    fn copy(&self, attempt: &Group) -> TokenStream {
        let Self { span, attribute, ref krate, .. } = *self;
        let attempt = self.maybe_probe("maybe_probe", quote_spanned!(attribute=> async #attempt));
        let outcome = self.outcome_of(&quote_spanned!(attribute=> #attempt.await));
        let known = self.known("__retry_outcome");
        let classification = self.classification();
        let judged = quote_spanned! {span=>
            #outcome
            let __retry_known = &#known;
            let __retry_findings = #classification;
            #krate::private::HedgeOutcome::new(__retry_condition, __retry_findings, __retry_outcome)
        };
        let mut copy = Group::new(Delimiter::Brace, judged);
        copy.set_span(attribute);
        self.repeated("hedged_copies_share_all_arguments_except_those_in_clone", &copy)
    }

    /// `let __retry_outcome = …;`, and the breaker counts the outcome. The breaker's pass is outside the attempt, so that an
    /// attempt that is cut off counts too.
    fn outcome_of(&self, running: &TokenStream) -> TokenStream {
        let Self { arguments, span, .. } = *self;
        let Some(breaker) = &arguments.breaker else {
            return quote_spanned!(span=> let __retry_outcome = #running;);
        };
        let krate = krate(arguments, at(breaker.span));
        let known = self.known("__retry_outcome");
        let pass = match arguments.hedge {
            Some(_) => quote_spanned!(at(breaker.span)=> __retry_pass),
            None => quote_spanned!(at(breaker.span)=> #krate::private::Pass::none()),
        };
        quote_spanned! {at(breaker.span)=>
            let mut __retry_pass = #pass;
            let __retry_outcome = #running;
            let __retry_known = &#known;
            #krate::private::Pass::settle(__retry_pass, #krate::private::Classification::new(__retry_known.__value(), __retry_known.__error()));
        }
    }

    /// Does not make the attempt while the breaker is open.
    fn admission(&self) -> Option<TokenStream> {
        let breaker = self.arguments.breaker.as_ref()?;
        let span = at(breaker.span);
        let krate = krate(self.arguments, span);
        let place = plan::of_static(breaker, "Breaker", &krate);
        let not_made = self.of_outcome("not_made", None, quote_spanned!(span=> __retry_open));
        if matches!(self.function.shape, Shape::Blocking) {
            return Some(quote_spanned! {span=>
                if let ::core::result::Result::Err(__retry_open) = #krate::private::Pass::ask_blocking(&mut __retry_pass, #place) {
                    return #not_made;
                }
            });
        }
        // Nothing is awaited where the attempt is let through at once.
        Some(quote_spanned! {span=>
            if let ::core::result::Result::Err(__retry_refused) = #krate::private::Pass::ask(&mut __retry_pass, #place) {
                if let ::core::result::Result::Err(__retry_open) = __retry_refused.await {
                    return #not_made;
                }
            }
        })
    }

    /// The value that lets another copy through or not: a breaker, or `()`.
    fn entrance(&self) -> TokenStream {
        let Some(breaker) = &self.arguments.breaker else { return quote_spanned!(self.span=> ()) };
        let span = at(breaker.span);
        let krate = krate(self.arguments, span);
        let place = plan::of_static(breaker, "Breaker", &krate);
        quote_spanned!(span=> #krate::private::EachCopy::of(#place))
    }

    /// Makes the clones for one attempt. Outside of it: an attempt that held the originals by reference would be `Send`
    /// only where they are `Sync`.
    fn clones(&self) -> TokenStream {
        let clones = self.cloned().map(|(_, name)| {
            self.shadow(None, name, quote_spanned!(at(name.span())=> ::core::clone::Clone::clone(&#name)))
        });
        quote!(#(#clones)*)
    }

    fn cloned(&self) -> impl Iterator<Item = (Option<Token![mut]>, &Ident)> {
        self.arguments.clone.iter().flat_map(|clone| &clone.value).map(|name| {
            let mutability =
                self.mutable.iter().find(|(mutable, _)| mutable == name).map(|(_, mutability)| *mutability);
            (mutability, name)
        })
    }

    /// The name shadows, and is used, as it was asked to.
    fn shadow(&self, mutability: Option<Token![mut]>, name: &Ident, value: TokenStream) -> TokenStream {
        quote_spanned! {at(name.span())=>
            #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::used_underscore_binding)]
            let #mutability #name = #value;
        }
    }

    /// Makes rustc know the type of the outcome before it checks the body, so that `?` and `return` convert.
    fn pin(&self) -> Option<TokenStream> {
        self.function.outcome()?;
        let output = self.outcome();
        Some(quote_spanned! {self.span=>
            if let ::core::option::Option::Some(__retry_pin) = ::core::option::Option::None::<#output> {
                return __retry_pin;
            }
        })
    }

    /// `classify::<Outcome>(&outcome)`, which classifies the outcome. If its type has lifetimes, the library first finds out whether
    /// the error borrows.
    fn known(&self, outcome: &str) -> TokenStream {
        let outcome = Ident::new(outcome, self.span);
        let outcome = quote_spanned!(self.span=> &#outcome);
        let lifetimes = self.function.outcome().map_or(Lifetimes::None, Lifetimes::of);
        let asked = match lifetimes {
            Lifetimes::None => return self.of_outcome("classify", None, outcome),
            Lifetimes::Bound(ty) => quote!(Lifetimes::<#ty>),
            Lifetimes::OfTrait(ty) => quote!(MayBorrow::<#ty>),
        };
        let output = self.outcome();
        let span = output.clone().into_iter().next().map_or(self.span, |token| at(token.span()));
        let krate = krate(self.arguments, span);
        quote_spanned!(span=> #krate::private::#asked::of().__classify::<#output>(#outcome))
    }

    /// `private::name::<Outcome>(values)`, at the place of the type: what is asked of it is an error of the user's.
    fn of_outcome(&self, name: &str, more: Option<TokenStream>, values: TokenStream) -> TokenStream {
        let output = self.outcome();
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

    /// The declared type of the outcome, as it can be written in an expression.
    fn outcome(&self) -> TokenStream {
        self.function.outcome().map_or_else(|| quote!(_), rewrite::in_expression)
    }

    /// Whether an attempt is cut off.
    fn cut(&self) -> TokenStream {
        let Self { arguments, span, ref krate, .. } = *self;
        if arguments.policy.is_some() {
            let output = self.outcome();
            quote_spanned!(span=> #krate::private::Cutting::<#output>::of().__cut())
        } else if arguments.deadline.is_some() || arguments.attempt_timeout.is_some() {
            self.of_outcome("limited", None, TokenStream::new())
        } else if arguments.nested.is_some() {
            quote_spanned!(span=> #krate::private::ScopedOnly)
        } else {
            quote_spanned!(span=> #krate::private::Unlimited)
        }
    }

    fn classification(&self) -> TokenStream {
        let Self { arguments, span, ref krate, .. } = *self;
        let on_ok = arguments.on_ok.as_ref().map(|on_ok| {
            let predicate = &on_ok.value;
            quote_spanned!(at(on_ok.span)=> .on_ok(__retry_known.__refused(&mut { #predicate })))
        });
        let on_error = arguments.on_error.as_ref().and_then(|on_error| match &on_error.value {
            OnError::Predicate(predicate) => {
                Some(quote_spanned!(at(on_error.span)=> .on_error(__retry_known.__decided(&mut { #predicate }))))
            }
            _ => None,
        });
        quote_spanned!(span=> #krate::private::Classification::new(__retry_known.__value(), __retry_known.__error()) #on_ok #on_error)
    }

    /// With the delay that is read from an answer.
    fn delayed(&self, classification: TokenStream) -> TokenStream {
        let Self { arguments, ref krate, .. } = *self;
        let Some(server_delay) = &arguments.server_delay else { return classification };
        let read = &server_delay.value;
        quote_spanned!(at(server_delay.span)=> __retry_known.__delayed(#krate::Executor::condition(&__retry_executor), #classification, &mut { #read }))
    }

    /// The check that the conditions can have an effect on this type of outcome.
    fn require_effect(&self) -> Option<TokenStream> {
        let Self { arguments, function, span, ref krate, .. } = *self;
        let required = required::required(arguments, function.outcome())?;
        let asking = quote_spanned!(span=> __retry_known.__inspect());
        let question = required.question(krate, &asking, span);
        let required = self.of_outcome(required.name(), Some(quote!(, _)), question);
        Some(quote_spanned!(span=> #required;))
    }

    /// Without `on_ok`, an answer of which nothing is known is never tried again.
    fn require_server_delay_is_read(&self) -> Option<TokenStream> {
        let Self { arguments, span, .. } = *self;
        (arguments.server_delay.is_some() && arguments.on_ok.is_none()).then(|| {
            let required = self.of_outcome(
                "require_server_delay_is_read",
                Some(quote!(, _)),
                quote_spanned!(span=> __retry_known.__reads_delay()),
            );
            quote_spanned!(span=> #required;)
        })
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

/// The body in braces of its own: what it imports does not reach the pin. They are the user's, for in editions before
/// 2024 the temporaries of a tail expression live until after the locals. The item keeps rustc from calling them unused,
/// and clippy from calling items of the body late.
fn inside(body: &Group) -> Group {
    let (inner_attributes, code) = rewrite::split_inner_attributes(body);
    let item = quote_spanned!(at(body.span())=> const _: () = (););
    like(body, quote!(#inner_attributes #item #code))
}

/// Whether the executor must remember more than the number of the attempt. Of a policy that is given at run time
/// nothing is known here.
fn needs_history(arguments: &Arguments) -> bool {
    let looks_back = |backoff: &Arg<Backoff>| matches!(backoff.value, Backoff::Custom(_) | Backoff::Decorrelated);
    arguments.bind.is_some()
        || arguments.policy.is_some()
        || arguments.deadline.is_some()
        || arguments.backoff.as_ref().is_some_and(looks_back)
}

/// The path of the runtime; it stands where the span does, unless it is the user's.
pub(crate) fn krate(arguments: &Arguments, span: Span) -> Path {
    let standard = || syn::parse_quote_spanned!(span=> ::retry_runtime);
    arguments.krate.as_ref().map_or_else(standard, |krate| krate.value.clone())
}

#[cfg(test)]
mod tests;
