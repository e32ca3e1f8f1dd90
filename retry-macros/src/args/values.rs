//! The values that are known at compile time, for the rules and the formulas of the specification.

use quote::ToTokens;
use retry_spec::keywords::UNLIMITED;
use retry_spec::values::{self, Base, Values};

use super::model::{Arg, Arguments, Attempts, Backoff, Delays, Given, OnError, RetryAfter};

/// The known values. A constant, and a value that could not be read, are unknown.
pub(crate) fn values(arguments: &Arguments) -> Values {
    Values {
        written: arguments.written.iter().map(|written| written.key).collect(),
        base: Base::Defaults,
        attempts: value(&arguments.attempts).and_then(attempts),
        backoff: value(&arguments.backoff).and_then(|backoff| match backoff {
            Backoff::Keyword(word) => Some(*word),
            Backoff::Function(_) | Backoff::Closure(_) => None,
        }),
        backoff_is_function: matches!(value(&arguments.backoff), Some(Backoff::Function(_) | Backoff::Closure(_))),
        start: given(&arguments.start),
        factor: given(&arguments.factor),
        max_delay: given(&arguments.max_delay),
        delays: value(&arguments.delays).and_then(|delays| match delays {
            Delays::List(list) => Some(list.iter().map(|(delay, _)| literal(delay)).collect()),
            Delays::Path(_) => None,
        }),
        jitter: value(&arguments.jitter).copied(),
        retry_after: value(&arguments.retry_after).and_then(retry_after),
        within_retry_after: value(&arguments.within_retry_after).copied(),
        beyond_retry_after: value(&arguments.beyond_retry_after).copied(),
        drain_limit: given(&arguments.drain_limit),
        drain_timeout: given(&arguments.drain_timeout),
        deadline: given(&arguments.deadline),
        attempt_timeout: given(&arguments.attempt_timeout),
        nested: value(&arguments.nested).copied(),
        events: value(&arguments.events).copied(),
        hedge: given(&arguments.hedge),
        on_error: value(&arguments.on_error).and_then(|on_error| match on_error {
            OnError::Keyword(word) => Some(*word),
            OnError::Predicate(_) => None,
        }),
        on_status_is_empty: value(&arguments.on_status).map(Vec::is_empty),
        name: value(&arguments.name).and_then(|name| match name {
            Given::Literal(name) => Some(name.value()),
            Given::Path(_) => None,
        }),
    }
}

fn attempts(attempts: &Attempts) -> Option<u32> {
    match attempts {
        Attempts::Number(number) => Some(*number),
        Attempts::Unlimited => Some(UNLIMITED),
        Attempts::Path(_) => None,
    }
}

fn retry_after(limit: &RetryAfter) -> Option<values::RetryAfter> {
    match limit {
        RetryAfter::AtMost(limit) => literal(limit).map(values::RetryAfter::AtMost),
        RetryAfter::Ignore => Some(values::RetryAfter::Ignore),
    }
}

fn value<T>(argument: &Option<Arg<T>>) -> Option<&T> {
    argument.as_ref().map(|argument| &argument.value)
}

fn given<T: Copy>(argument: &Option<Arg<Given<T>>>) -> Option<T> {
    value(argument).and_then(literal)
}

fn literal<T: Copy>(given: &Given<T>) -> Option<T> {
    match given {
        Given::Literal(value) => Some(*value),
        Given::Path(_) => None,
    }
}

/// A path as text: `crate::API`. Tokens print with spaces between them.
pub(crate) fn without_spaces(path: impl ToTokens) -> String {
    path.into_token_stream().to_string().replace(' ', "")
}
