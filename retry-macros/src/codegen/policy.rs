//! Writes the constants of a function: its name, policy and condition.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use retry_spec::keywords::{self, BeyondRetryAfter, Events, Jitter, Nested, WithinRetryAfter};
use retry_spec::schedule::START;
use syn::ext::IdentExt;
use syn::{ExprPath, Ident, LitStr, Path};

use super::tokens::{at, is_associated, krate};
use crate::args::model::{
    Arg, Arguments, Attempts, Backoff, Delays, Given, OnError, RetryAfter, Shared, StatusBound, StatusRange,
};
use crate::input::function::Function;

/// Input: `attempts = 5, start = DELAY, on_status = [503]` on `fn load`.
///
/// Output, with paths shortened. Each call has the position of its value, so that a panic in constant evaluation points there.
/// `counters!()` is always written, and expands to `()` if the runtime counts nothing: a macro cannot see the runtime's features.
///
/// ```text
/// CallSpec::new(
///     concat!(module_path!(), "::", "load"),
///     (Policy::exponential(DELAY)).attempts(5),
///     (Condition::new()).on_status(const { &[503..=503] }),
///     counters!(),                                                       // its own `static`, for the counters
/// )
/// ```
pub(super) fn call_spec(arguments: &Arguments, function: &Function) -> TokenStream {
    let span = at(function.sig.ident.span());
    let krate = krate(arguments, span);
    let name = name(arguments, function);
    let policy = policy(arguments, &krate, span);
    let condition = condition(arguments, &krate, span);
    quote_spanned!(span=> #krate::private::CallSpec::new(#name, #policy, #condition, #krate::private::counters!()))
}

fn name(arguments: &Arguments, Function { sig, is_block, .. }: &Function) -> TokenStream {
    let span = at(sig.ident.span());
    match &arguments.name {
        Some(Arg { value, .. }) => value.to_token_stream(),
        // A block has no name, and its module alone may contain several.
        None if *is_block => quote_spanned!(span=> ::core::concat!(::core::module_path!(), ":", ::core::line!())),
        None => {
            let name = LitStr::new(&sig.ident.unraw().to_string(), span);
            quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #name))
        }
    }
}

impl ToTokens for Given<LitStr> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(text) => text.to_tokens(tokens),
            Self::Path(path) => path.to_tokens(tokens),
        }
    }
}

/// The policy as a chain of calls. Each call checks the rules between its value and those that are already set, so the
/// constructor of the schedule comes first.
fn policy(arguments: &Arguments, krate: &Path, span: Span) -> TokenStream {
    if arguments.policy.is_some() {
        return quote_spanned!(span=> #krate::Policy::new());
    }
    let calls = [
        arguments.factor.as_ref().map(|factor| call("factor", factor, number(factor))),
        max_delay_call(arguments),
        arguments.jitter.as_ref().map(|given| call("jitter", given, jitter(given, krate))),
        arguments.random_source.as_ref().map(|source| call("random_source", source, source.value.to_token_stream())),
        arguments.attempts.as_ref().map(attempts),
        arguments.deadline.as_ref().map(|deadline| call("deadline", deadline, duration(deadline))),
        arguments.attempt_timeout.as_ref().map(|timeout| call("attempt_timeout", timeout, duration(timeout))),
        arguments.retry_after.as_ref().map(retry_after),
        arguments.within_retry_after.as_ref().map(|given| within_retry_after(given, krate)),
        arguments.beyond_retry_after.as_ref().map(|given| beyond_retry_after(given, krate)),
        arguments.drain_limit.as_ref().map(|limit| call("drain_limit", limit, number(limit))),
        arguments.drain_timeout.as_ref().map(|timeout| call("drain_timeout", timeout, duration(timeout))),
        arguments.budget.as_ref().and_then(|given| budget(given, arguments)),
        arguments.nested.as_ref().map(|given| nested(given, krate)),
        arguments.events.as_ref().map(|given| events(given, krate)),
    ];
    calls.into_iter().flatten().fold(schedule(arguments, span), Call::on)
}

/// A closure that returns the user's `static`.
///
/// It is a closure because, before Rust 1.91, a constant cannot refer to a `static` with interior mutability. The reference is
/// stored in its own `static`, because rustc then reports a path of a constant. A `macro_rules!` macro of the runtime writes
/// that item: rustc prints the name of the macro with the error, and the name is the advice. The item cannot refer to generic
/// parameters, so the path of an associated item is used directly.
fn of_static(value: &ExprPath, span: Span, ty: &str, krate: &Path) -> TokenStream {
    if is_associated(value.qself.as_ref(), &value.path) {
        return quote_spanned!(span=> || &#value);
    }
    let ty = Ident::new(ty, span);
    quote_spanned!(span=> #krate::must_be_a_static_of_type_budget_or_breaker_not_a_const!(#ty, #value))
}

/// `Hedge::after(duration).max(number)`.
pub(super) fn hedge(arguments: &Arguments) -> Option<TokenStream> {
    let given = arguments.hedge.as_ref()?;
    let place = Place::of(given);
    let krate = krate(arguments, place.first);
    let delay = place.parenthesized(duration(given));
    let hedge = quote_spanned!(place.first=> #krate::Hedge::after #delay);
    let max = arguments.hedge_max.as_ref().map(|most| call("max", most, number(most)));
    let hedge = max.into_iter().fold(hedge, Call::on);
    Some(quote_spanned!(place.first=> const { &#hedge }))
}

/// A reference to a budget or a circuit breaker: that of the user's `static`, or the one that is bound at the start of the call.
pub(super) fn shared(given: &Arg<Shared>, name: &str, ty: &str, krate: &Path) -> TokenStream {
    let span = at(given.span);
    match &given.value {
        Shared::Static(path) => {
            let closure = of_static(path, span, ty, krate);
            quote_spanned!(span=> #krate::private::of_static(#closure))
        }
        Shared::Value(_) => {
            let name = Ident::new(name, span);
            quote_spanned!(span=> #name)
        }
    }
}

/// The budget of the policy, if it is in a `static`.
fn budget(given: &Arg<Shared>, arguments: &Arguments) -> Option<Call> {
    let Shared::Static(path) = &given.value else { return None };
    let span = at(given.span);
    Some(call("budget", given, of_static(path, span, "Budget", &krate(arguments, span))))
}

fn nested(given: &Arg<Nested>, krate: &Path) -> Call {
    match given.value {
        Nested::Once => call("nested", given, quote_spanned!(at(given.span)=> #krate::Nested::Once)),
    }
}

fn events(given: &Arg<Events>, krate: &Path) -> Call {
    let level = match given.value {
        Events::Info => "Info",
        Events::Debug => "Debug",
        Events::Off => "Off",
    };
    let level = Ident::new(level, at(given.span));
    call("events", given, quote_spanned!(at(given.span)=> #krate::event::EventLevel::#level))
}

/// The constructor of the policy, at the position of the value that it may refuse.
fn schedule(arguments: &Arguments, span: Span) -> TokenStream {
    let Arguments { backoff, start, factor, max_delay, .. } = arguments;
    if let Some(given) = &arguments.delays {
        return constructor(arguments, "delays", Place::of(given), delays(given));
    }
    let nowhere = Place { first: span, last: span };
    let backoff = match backoff {
        None if start.is_none() && factor.is_none() => {
            return constructor(arguments, "new", nowhere, TokenStream::new());
        }
        None => keywords::Backoff::Exponential,
        Some(given @ Arg { value: Backoff::Function(function), .. }) => {
            return constructor(arguments, "custom", Place::of(given), function.to_token_stream());
        }
        Some(given @ Arg { value: Backoff::Closure(_), .. }) => {
            let place = Place::of(given);
            let krate = krate(arguments, place.first);
            let unused = quote_spanned!(place.first=> #krate::private::backoff_is_a_closure);
            return constructor(arguments, "custom", place, unused);
        }
        Some(Arg { value: Backoff::Keyword(word), .. }) => *word,
    };
    let delay = match start {
        Some(start) => duration(start),
        None => time(START, span),
    };
    if backoff.is_random() {
        let place = max_delay.as_ref().map_or(nowhere, Place::of);
        let max_delay = max_delay.as_ref().map(duration);
        return constructor(arguments, backoff.keyword(), place, quote!(#delay, #max_delay));
    }
    constructor(arguments, backoff.keyword(), start.as_ref().map_or(nowhere, Place::of), delay)
}

/// `Policy::name(values)`
fn constructor(arguments: &Arguments, name: &str, place: Place, values: TokenStream) -> TokenStream {
    let krate = krate(arguments, place.first);
    let name = Ident::new(name, place.first);
    let values = place.parenthesized(values);
    quote_spanned!(place.first=> #krate::Policy::#name #values)
}

/// The first and the last token of a value.
#[derive(Clone, Copy)]
struct Place {
    first: Span,
    last: Span,
}

impl Place {
    fn of<T>(argument: &Arg<T>) -> Self {
        Place { first: at(argument.span), last: at(argument.end) }
    }

    /// The arguments of a call, in parentheses at the last token of the value. For rustc a call ends at its parentheses, so an
    /// error in the call points at the whole value.
    fn parenthesized(&self, values: TokenStream) -> Group {
        let mut group = Group::new(Delimiter::Parenthesis, values);
        group.set_span(self.last);
        group
    }
}

/// `.max_delay(…)`, unless the constructor of a random backoff already takes it.
fn max_delay_call(arguments: &Arguments) -> Option<Call> {
    let is_random = |backoff: &Arg<Backoff>| matches!(&backoff.value, Backoff::Keyword(word) if word.is_random());
    let is_set = arguments.backoff.as_ref().is_some_and(is_random);
    let max_delay = arguments.max_delay.as_ref().filter(|_| !is_set)?;
    Some(call("max_delay", max_delay, duration(max_delay)))
}

/// `.name(value)`, at the position of the value.
struct Call {
    place: Place,
    tokens: TokenStream,
}

impl Call {
    /// Puts the receiver in parentheses at the position of the value. For rustc a method call starts where its receiver starts,
    /// so without them an error in the call would point at everything from the first argument to this one.
    fn on(receiver: TokenStream, Call { place, tokens }: Call) -> TokenStream {
        quote_spanned!(place.first=> (#receiver) #tokens)
    }
}

fn call<T>(name: &str, argument: &Arg<T>, value: TokenStream) -> Call {
    let place = Place::of(argument);
    let name = Ident::new(name, place.first);
    let value = place.parenthesized(value);
    Call { place, tokens: quote_spanned!(place.first=> .#name #value) }
}

fn attempts(attempts: &Arg<Attempts>) -> Call {
    match &attempts.value {
        Attempts::Number(number) => call("attempts", attempts, number.to_token_stream()),
        Attempts::Path(path) => call("attempts", attempts, path.to_token_stream()),
        Attempts::Unlimited => call("unlimited", attempts, TokenStream::new()),
    }
}

fn retry_after(limit: &Arg<RetryAfter>) -> Call {
    match &limit.value {
        RetryAfter::AtMost(given) => call("retry_after", limit, given_duration(given, limit.span)),
        RetryAfter::Ignore => call("ignore_retry_after", limit, TokenStream::new()),
    }
}

fn within_retry_after(given: &Arg<WithinRetryAfter>, krate: &Path) -> Call {
    let within = match given.value {
        WithinRetryAfter::Raise => "Raise",
        WithinRetryAfter::Replace => "Replace",
    };
    let (span, within) = (at(given.span), Ident::new(within, at(given.span)));
    call("within_retry_after", given, quote_spanned!(span=> #krate::policy::WithinRetryAfter::#within))
}

fn beyond_retry_after(given: &Arg<BeyondRetryAfter>, krate: &Path) -> Call {
    let beyond = match given.value {
        BeyondRetryAfter::GiveUp => "GiveUp",
        BeyondRetryAfter::Wait => "Wait",
        BeyondRetryAfter::Ignore => "Ignore",
    };
    let (span, beyond) = (at(given.span), Ident::new(beyond, at(given.span)));
    call("beyond_retry_after", given, quote_spanned!(span=> #krate::policy::BeyondRetryAfter::#beyond))
}

fn jitter(jitter: &Arg<Jitter>, krate: &Path) -> TokenStream {
    let kind = match jitter.value {
        Jitter::None => quote!(None),
        Jitter::Full => quote!(Full),
        Jitter::Equal => quote!(Equal),
        Jitter::Share(share) => quote!(Share(#share)),
        Jitter::Plus(extra) => {
            let extra = time(extra, jitter.span);
            quote!(Plus(#extra))
        }
    };
    quote_spanned!(at(jitter.span)=> #krate::Jitter::#kind)
}

fn delays(Arg { value, span, .. }: &Arg<Delays>) -> TokenStream {
    let span = *span;
    match value {
        Delays::Path(path) => path.to_token_stream(),
        Delays::List(list) => {
            let delays = list.iter().map(|(delay, span)| given_duration(delay, *span));
            quote_spanned!(at(span)=> const { &[#(#delays),*] })
        }
    }
}

fn number<T: ToTokens>(number: &Arg<Given<T>>) -> TokenStream {
    match &number.value {
        Given::Literal(value) => value.to_token_stream(),
        Given::Path(path) => path.to_token_stream(),
    }
}

fn duration(given: &Arg<Given<Duration>>) -> TokenStream {
    given_duration(&given.value, given.span)
}

fn given_duration(given: &Given<Duration>, span: Span) -> TokenStream {
    match given {
        Given::Literal(duration) => time(*duration, span),
        Given::Path(path) => path.to_token_stream(),
    }
}

fn time(duration: Duration, span: Span) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote_spanned!(at(span)=> ::core::time::Duration::new(#seconds, #nanos))
}

fn condition(arguments: &Arguments, krate: &Path, span: Span) -> TokenStream {
    let on_status = arguments.on_status.as_ref().map(|statuses| {
        let ranges = statuses.value.iter().map(|range| status_range(range, arguments));
        call("on_status", statuses, quote_spanned!(at(statuses.span)=> const { &[#(#ranges),*] }))
    });
    let on_error = arguments.on_error.as_ref().and_then(|on_error| {
        let OnError::Keyword(word) = &on_error.value else { return None };
        let word = match word {
            keywords::OnError::Any => quote!(Any),
            keywords::OnError::Transient => quote!(Transient),
            keywords::OnError::Never => quote!(Never),
        };
        Some(call("on_error", on_error, quote_spanned!(at(on_error.span)=> #krate::OnError::#word)))
    });
    let condition = quote_spanned!(span=> #krate::Condition::new());
    [on_status, on_error].into_iter().flatten().fold(condition, Call::on)
}

fn status_range(StatusRange { first, last, span }: &StatusRange, arguments: &Arguments) -> TokenStream {
    let span = at(*span);
    let krate = krate(arguments, span);
    match (first, last) {
        (StatusBound::Code(code), None) => quote_spanned!(span=> #code..=#code),
        (StatusBound::Code(first), Some(StatusBound::Code(last))) => quote_spanned!(span=> #first..=#last),
        (first, None) => {
            let code = bound(first, &krate, span);
            quote_spanned!(span=> #krate::private::status(#code))
        }
        (first, Some(last)) => {
            let (first, last) = (bound(first, &krate, span), bound(last, &krate, span));
            quote_spanned!(span=> #krate::private::statuses(#first, #last))
        }
    }
}

fn bound(bound: &StatusBound, krate: &Path, span: Span) -> TokenStream {
    match bound {
        StatusBound::Code(code) => code.to_token_stream(),
        StatusBound::Path(path) => quote_spanned!(span=> #krate::private::Code::new(#path).__code()),
    }
}
