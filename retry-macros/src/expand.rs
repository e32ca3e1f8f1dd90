//! Writes the function again, with the loop around its body.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, Ident, Pat, PatIdent, Path, Signature, Type};

use crate::arguments::{Arg, Arguments, Backoff, OnError};
use crate::documentation::{retries_section, wants_section};
use crate::frame::{after_inner_attributes, like};
use crate::function::{Function, Shape};
use crate::plan;

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
///     let mut executor = Executor::start(Annotated::new(|| const { &Plan::new("module::load", POLICY, CONDITION) }));
///     loop {
///         let pause = {
///             let outcome = executor.run(async {                                  // the user's braces
///                 if let Some(pin) = None::<Result<Row, Error>> { return pin; }   // pins the type before BODY is checked
///                 { BODY }
///             }, Uncut).await;
///             let known = &Known::new(&outcome);
///             match executor.decide(Findings::new(known.answer(), known.error()), &known.reason()) {
///                 None => break outcome,
///                 Some(again) => again.after(known.put_away(), outcome),
///             }
///         };                                                                      // the outcome has left scope
///         pause.await;
///     }
/// }
/// ```
pub(crate) fn expand(arguments: &Arguments, function: &Function) -> TokenStream {
    let Function { attrs, vis, defaultness, sig, body, shape } = function;
    let expansion = Expansion { arguments, function, span: at(sig.ident.span()), krate: krate(arguments, sig) };
    let sig = signature(arguments, sig);
    let content = match shape {
        Shape::Async | Shape::Blocking => {
            let (inner_attributes, code) = split_inner_attributes(body);
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
    function: &'a Function,
    /// Of the function's name: for what has no better place.
    span: Span,
    krate: Path,
}

impl Expansion<'_> {
    /// What stands in the braces of the function, or of the block that it returns.
    fn content(&self, body: &Group) -> TokenStream {
        let start = self.start();
        let once = self.once(body);
        let wait = self.wait();
        quote_spanned! {self.span=>
            #start
            loop {
                let pause = #once;
                pause #wait;
            }
        }
    }

    /// `let mut executor = …;`
    fn start(&self) -> TokenStream {
        let Self { arguments, function, span, ref krate } = *self;
        let plan = plan::plan(arguments, &function.sig.ident, krate);
        let observer = arguments.observer.as_ref().map(|observer| {
            let observer = &observer.value;
            quote_spanned!(span=> let observer = &#observer;)
        });
        let with_observer = observer.as_ref().map(|_| quote_spanned!(span=> .with_observer(observer)));
        let with_policy = arguments.policy.as_ref().map(|policy| {
            let expression = &policy.value;
            quote_spanned!(at(policy.span)=> .with_policy(#expression))
        });
        let with_notes = needs_notes(arguments).then(|| quote_spanned!(span=> .with_notes()));
        let sleeping = match (&arguments.sleep, &arguments.blocking) {
            (Some(sleep), None) => {
                let path = &sleep.value;
                Some(quote_spanned!(at(sleep.span)=> .sleeping(#path)))
            }
            _ => None,
        };
        quote_spanned! {span=>
            #observer
            let mut executor = #krate::Executor::start(
                #krate::private::Annotated::new(|| const { &#plan }) #with_policy #with_observer #with_notes
            ) #sleeping;
        }
    }

    /// One attempt and what follows from it: a block that gives a pause, or breaks with the outcome.
    fn once(&self, body: &Group) -> TokenStream {
        let Self { arguments, span, ref krate, .. } = *self;
        let bind = arguments.bind.as_ref().map(|bind| {
            let name = &bind.value;
            quote_spanned!(span=> let #name = &executor.current();)
        });
        let attempt = self.attempt(body);
        let findings = self.findings();
        let require_status = self.require_status();
        quote_spanned! {span=>
            {
                #bind
                let outcome = #attempt;
                if #krate::private::Known::new(&outcome).is_plain_success() {
                    break executor.succeed(outcome);
                }
                let failed = outcome;
                let known = &#krate::private::Known::new(&failed);
                #require_status
                match executor.decide(#findings, &known.reason()) {
                    ::core::option::Option::None => break failed,
                    ::core::option::Option::Some(again) => again.after(known.put_away(), failed),
                }
            }
        }
    }

    fn attempt(&self, body: &Group) -> TokenStream {
        let Self { arguments, function, span, ref krate } = *self;
        let clones = arguments.clone.iter().flat_map(|clone| &clone.value).map(|name| {
            let mutability = parameter(&function.sig, name).and_then(|pattern| pattern.mutability);
            quote_spanned!(span=> let #mutability #name = ::core::clone::Clone::clone(&#name);)
        });
        // Braces of the macro's around the body: what it imports does not reach the pin.
        let mut inside = Group::new(Delimiter::Brace, body.stream());
        inside.set_span(at(body.span()));
        let clones = quote!(#(#clones)*);
        if matches!(function.shape, Shape::Blocking) {
            let output = self.outcome();
            let block = like(body, quote!(#clones #inside));
            return quote_spanned!(span=> executor.attempt_blocking(|| -> #output #block));
        }
        let pin = self.pin();
        let block = like(body, quote!(#pin #clones #inside));
        let cut = self.cut();
        quote_spanned!(span=> executor.run(async #block, #krate::private::#cut).await)
    }

    /// Makes rustc know the type of the outcome before it checks the body, so that `?` and `return` convert.
    fn pin(&self) -> Option<TokenStream> {
        self.function.outcome()?;
        let output = self.outcome();
        Some(quote_spanned! {self.span=>
            if let ::core::option::Option::Some(pin) = ::core::option::Option::None::<#output> {
                return pin;
            }
        })
    }

    /// The declared type of the outcome, as it can be written in an expression.
    fn outcome(&self) -> TokenStream {
        let Some(mut output) = self.function.outcome().cloned() else {
            return quote!(_);
        };
        InExpression.visit_type_mut(&mut output);
        relocated(output.into_token_stream())
    }

    /// Whether an attempt is cut off.
    fn cut(&self) -> TokenStream {
        let Self { arguments, span, .. } = *self;
        let output = self.outcome();
        if arguments.policy.is_some() {
            quote_spanned!(span=> Cutting::<#output>::of().cut())
        } else if arguments.deadline.is_some() || arguments.attempt_timeout.is_some() {
            quote_spanned!(span=> cut_off::<#output>())
        } else {
            quote_spanned!(span=> Uncut)
        }
    }

    fn findings(&self) -> TokenStream {
        let Self { arguments, span, ref krate, .. } = *self;
        let on_ok = arguments.on_ok.as_ref().map(|on_ok| {
            let predicate = &on_ok.value;
            quote_spanned!(at(on_ok.span)=> .on_ok(known.refused(#predicate)))
        });
        let on_error = arguments.on_error.as_ref().and_then(|on_error| match &on_error.value {
            OnError::Predicate(predicate) => {
                Some(quote_spanned!(at(on_error.span)=> .on_error(known.decided(#predicate))))
            }
            _ => None,
        });
        quote_spanned!(span=> #krate::private::Findings::new(known.answer(), known.error()) #on_ok #on_error)
    }

    fn require_status(&self) -> Option<TokenStream> {
        let Self { arguments, span, ref krate, .. } = *self;
        let listed = arguments.on_status.as_ref().is_some_and(|on_status| !on_status.value.is_empty());
        let output = self.outcome();
        listed.then(|| quote_spanned!(span=> #krate::private::require_status::<#output, _>(known.status());))
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

/// Whether the executor must remember more than the number of the attempt. Of a policy that is given at run time
/// nothing is known here.
fn needs_notes(arguments: &Arguments) -> bool {
    let looks_back = |backoff: &Arg<Backoff>| matches!(backoff.value, Backoff::Custom(_) | Backoff::Decorrelated);
    arguments.bind.is_some()
        || arguments.policy.is_some()
        || arguments.deadline.is_some()
        || arguments.backoff.as_ref().is_some_and(looks_back)
}

fn krate(arguments: &Arguments, sig: &Signature) -> Path {
    let span = at(sig.ident.span());
    let standard = || syn::parse_quote_spanned!(span=> ::retry_runtime);
    arguments.krate.as_ref().map_or_else(standard, |krate| krate.value.clone())
}

/// The signature as it was written, but for the `mut` of arguments that are cloned: the clone has it.
fn signature(arguments: &Arguments, sig: &Signature) -> Signature {
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

fn parameter<'a>(sig: &'a Signature, name: &Ident) -> Option<&'a PatIdent> {
    sig.inputs.iter().find_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pattern) if pattern.ident == *name => Some(pattern),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}

/// `impl Trait` may not stand in an expression; inference fills it in.
struct InExpression;

impl VisitMut for InExpression {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(_) = ty {
            *ty = syn::parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}

/// The user's tokens where they stand, as tokens of the macro's: lints spoke about them in the signature.
fn relocated(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut tree| {
            if let TokenTree::Group(group) = &tree {
                tree = like(group, relocated(group.stream())).into();
            }
            tree.set_span(at(tree.span()));
            tree
        })
        .collect()
}

fn split_inner_attributes(body: &Group) -> (TokenStream, TokenStream) {
    let trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let code = after_inner_attributes(&trees);
    let attributes = trees[..trees.len() - code.len()].iter().cloned().collect();
    (attributes, code.iter().cloned().collect())
}
