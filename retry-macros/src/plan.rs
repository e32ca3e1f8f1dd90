//! Writes what is constant about a function: its name, policy and condition.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, LitStr, Path};

use crate::arguments::{
    Arg, Arguments, Attempts, Backoff, Delays, Given, Jitter, OnError, ServerDelay, StatusBound, StatusRange,
};
use crate::expand::at;

/// Input: `attempts = 5, start = DELAY, on_status = [503]` on `fn load`.
///
/// Output, with paths shortened; each call stands where its value does, so that a panic in constant evaluation points there:
///
/// ```text
/// Plan::new(
///     concat!(module_path!(), "::", "load"),
///     Policy::exponential(DELAY).attempts(5),
///     Condition::new().on_status(const { &[503..=503] }),
/// )
/// ```
pub(crate) fn plan(arguments: &Arguments, function: &Ident, krate: &Path) -> TokenStream {
    let span = at(function.span());
    let name = name(arguments, function);
    let policy = policy(arguments, krate, span);
    let condition = condition(arguments, krate, span);
    quote_spanned!(span=> #krate::private::Plan::new(#name, #policy, #condition))
}

fn name(arguments: &Arguments, function: &Ident) -> TokenStream {
    match &arguments.name {
        Some(Arg { value, .. }) => value.to_token_stream(),
        None => {
            let span = at(function.span());
            let name = LitStr::new(&function.unraw().to_string(), span);
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

/// The rules that concern two values are checked by each call that sets one of them, so the schedule comes first.
fn policy(arguments: &Arguments, krate: &Path, span: Span) -> TokenStream {
    if arguments.policy.is_some() {
        return quote_spanned!(span=> #krate::Policy::new());
    }
    let schedule = schedule(arguments, krate, span);
    let calls = [
        arguments.factor.as_ref().map(|factor| call("factor", factor.span, number(factor))),
        max_delay_call(arguments),
        arguments.jitter.as_ref().map(|given| call("jitter", given.span, jitter(given, krate))),
        arguments
            .random_source
            .as_ref()
            .map(|source| call("random_source", source.span, source.value.to_token_stream())),
        arguments.attempts.as_ref().map(attempts),
        arguments.deadline.as_ref().map(|deadline| call("deadline", deadline.span, duration(deadline))),
        arguments.attempt_timeout.as_ref().map(|timeout| call("attempt_timeout", timeout.span, duration(timeout))),
        arguments.retry_after.as_ref().map(retry_after),
    ];
    let calls = calls.into_iter().flatten();
    quote!(#schedule #(#calls)*)
}

/// The constructor of the policy.
fn schedule(arguments: &Arguments, krate: &Path, span: Span) -> TokenStream {
    if let Some(given) = &arguments.delays {
        let delays = delays(given);
        return quote_spanned!(at(given.span)=> #krate::Policy::delays(#delays));
    }
    let named = arguments.backoff.as_ref().map(|backoff| (&backoff.value, at(backoff.span)));
    let standard = arguments.start.is_none() && arguments.factor.is_none();
    let (backoff, place) = match named {
        None if standard => return quote_spanned!(span=> #krate::Policy::new()),
        None => (&Backoff::Exponential, span),
        Some(named) => named,
    };
    let start = match &arguments.start {
        Some(start) => duration(start),
        None => time(Duration::from_millis(100), span),
    };
    let max_delay = arguments.max_delay.as_ref().map(duration);
    let constructor = match backoff {
        Backoff::Exponential => quote!(exponential(#start)),
        Backoff::Fixed => quote!(fixed(#start)),
        Backoff::Linear => quote!(linear(#start)),
        Backoff::Fibonacci => quote!(fibonacci(#start)),
        Backoff::Random => quote_spanned!(place=> random(#start, #max_delay)),
        Backoff::Decorrelated => quote_spanned!(place=> decorrelated(#start, #max_delay)),
        Backoff::Custom(function) => quote!(custom(#function)),
    };
    quote_spanned!(place=> #krate::Policy::#constructor)
}

/// Random backoffs have taken theirs in their constructor.
fn max_delay_call(arguments: &Arguments) -> Option<TokenStream> {
    let taken = arguments.backoff.as_ref().is_some_and(|b| matches!(b.value, Backoff::Random | Backoff::Decorrelated));
    let max_delay = arguments.max_delay.as_ref().filter(|_| !taken)?;
    Some(call("max_delay", max_delay.span, duration(max_delay)))
}

/// `.name(value)`, at the place of the value.
fn call(name: &str, span: Span, value: TokenStream) -> TokenStream {
    let name = Ident::new(name, at(span));
    quote_spanned!(at(span)=> .#name(#value))
}

fn attempts(attempts: &Arg<Attempts>) -> TokenStream {
    match &attempts.value {
        Attempts::Number(number) => call("attempts", attempts.span, number.to_token_stream()),
        Attempts::Path(path) => call("attempts", attempts.span, path.to_token_stream()),
        Attempts::Unlimited => call("unlimited", attempts.span, TokenStream::new()),
    }
}

fn retry_after(limit: &Arg<ServerDelay>) -> TokenStream {
    match &limit.value {
        ServerDelay::AtMost(given) => call("retry_after", limit.span, given_duration(given, limit.span)),
        ServerDelay::Ignore => call("ignore_retry_after", limit.span, TokenStream::new()),
    }
}

fn jitter(jitter: &Arg<Jitter>, krate: &Path) -> TokenStream {
    let kind = match jitter.value {
        Jitter::None => quote!(None),
        Jitter::Full => quote!(Full),
        Jitter::Equal => quote!(Equal),
        Jitter::Share(share) => quote!(Share(#share)),
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

fn number(number: &Arg<Given<f64>>) -> TokenStream {
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
        let ranges = statuses.value.iter().map(status_range);
        call("on_status", statuses.span, quote_spanned!(at(statuses.span)=> const { &[#(#ranges),*] }))
    });
    let on_error = arguments.on_error.as_ref().and_then(|on_error| {
        let word = match &on_error.value {
            OnError::Any => quote!(Any),
            OnError::Transient => quote!(Transient),
            OnError::Never => quote!(Never),
            OnError::Predicate(_) => return None,
        };
        Some(call("on_error", on_error.span, quote_spanned!(at(on_error.span)=> #krate::OnError::#word)))
    });
    quote_spanned!(span=> #krate::Condition::new() #on_status #on_error)
}

fn status_range(StatusRange { first, last, span }: &StatusRange) -> TokenStream {
    let (first, last) = (bound(first), bound(last));
    quote_spanned!(at(*span)=> #first..=#last)
}

fn bound(bound: &StatusBound) -> TokenStream {
    match bound {
        StatusBound::Code(code) => code.to_token_stream(),
        StatusBound::Path(path) => path.to_token_stream(),
    }
}
