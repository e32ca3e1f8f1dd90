//! Writes the section "Retries" at the end of a function's documentation.

use std::time::Duration;

use quote::ToTokens;
use retry_spec::duration::human;
use retry_spec::keywords::{self, BeyondRetryAfter, Jitter, WithinRetryAfter};
use retry_spec::schedule;
use retry_spec::values::Values;
use syn::{Attribute, Expr, Meta, Visibility};

use crate::args::model::{
    Arg, Arguments, Attempts, Backoff, Delays, Given, OnError, RetryAfter, Shared, StatusBound, StatusRange,
};
use crate::args::values::{values, without_spaces};
use crate::input::function::Function;

/// The number of delays that are listed before "…".
const SHOWN: u32 = 5;

/// Returns `true` if the section does not hide that documentation is missing.
///
/// An undocumented `pub` item gets no section, so that the lint `missing_docs` still reports it. An undocumented method gets
/// none either: it may belong to a trait, whose visibility decides about the lint, or to an implementation, where rustdoc would
/// show the section in place of the trait's documentation.
pub(super) fn wants_section(function: &Function) -> bool {
    let free = function.sig.receiver().is_none();
    let private = !matches!(function.vis, Visibility::Public(_));
    function.attrs.iter().any(is_documentation) || (private && free)
}

/// Returns `true` for `/// text`, but not for `#[doc(hidden)]`.
fn is_documentation(attr: &Attribute) -> bool {
    attr.path().is_ident("doc") && matches!(attr.meta, Meta::NameValue(_))
}

pub(super) fn retries_section(arguments: &Arguments) -> String {
    let values = values(arguments);
    let sentences = match &arguments.policy {
        Some(policy) => {
            let policy = expression(&policy.value, "an expression");
            vec![
                Some(format!("Retries with the policy of {policy}.")),
                server_delay(arguments),
                budget(arguments),
                copies(arguments),
                breaker(arguments),
                polling(arguments),
                hook(arguments),
            ]
        }
        None => vec![
            Some(attempts(arguments, &values)),
            delays(arguments, &values),
            server_delay(arguments),
            limits(arguments, &values),
            copies(arguments),
            breaker(arguments),
            polling(arguments),
            hook(arguments),
        ],
    };
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    let conditions = conditions(arguments, &values);
    format!("# Retries\n\n{} {conditions}", sentences.join(" "))
}

fn attempts(arguments: &Arguments, values: &Values) -> String {
    let number = match (&arguments.attempts, &arguments.delays) {
        (Some(Arg { value: Attempts::Unlimited, .. }), _) => return "Makes attempts without a limit.".to_owned(),
        (Some(Arg { value: Attempts::Path(path), .. }), _) => code(path),
        (None, Some(Arg { value: Delays::Path(path), .. })) => {
            return format!("Makes at most one attempt more than {} has delays.", code(path));
        }
        _ => values.max_attempts().unwrap_or(schedule::ATTEMPTS).to_string(),
    };
    match number.as_str() {
        "1" => "Makes 1 attempt.".to_owned(),
        number => format!("Makes at most {number} attempts."),
    }
}

/// The sentence about the delays. `None` if nothing is retried.
fn delays(arguments: &Arguments, values: &Values) -> Option<String> {
    let limit = values.max_attempts().map(|attempts| attempts - 1);
    if limit == Some(0) {
        return None;
    }
    if let Some(text) = delays_that_are_not_a_series(arguments) {
        return Some(format!("Waits {text}."));
    }
    let shown = limit.unwrap_or(SHOWN).min(SHOWN);
    let known: Option<Vec<String>> = (1..=shown).map(|n| values.delay(n).map(rounded)).collect();
    let more = if limit.is_none_or(|limit| limit > SHOWN) { ", …" } else { "" };
    let fixed = values.backoff == Some(keywords::Backoff::Fixed);
    let waits = match known.filter(|_| !fixed) {
        Some(known) => format!("{}{more}", known.join(", then ")),
        None => delays_in_words(arguments),
    };
    Some(with_jitter(&waits, values.jitter_or_default().unwrap_or(Jitter::None)))
}

/// Rounds a delay down to microseconds, because the power of a factor has many digits.
fn rounded(delay: Duration) -> String {
    human(match delay.as_millis() {
        0 => delay,
        _ => Duration::new(delay.as_secs(), delay.subsec_micros() * 1_000),
    })
}

/// Describes random delays and those of a function.
fn delays_that_are_not_a_series(arguments: &Arguments) -> Option<String> {
    let first = given_duration(&arguments.start).unwrap_or_else(|| human(schedule::START));
    let most = given_duration(&arguments.max_delay).unwrap_or_default();
    match &arguments.backoff.as_ref()?.value {
        Backoff::Keyword(keywords::Backoff::Random) => Some(format!("a random time between {first} and {most}")),
        Backoff::Keyword(keywords::Backoff::Decorrelated) => {
            let times = factor(arguments, schedule::DECORRELATED_FACTOR);
            Some(format!("a random time between {first} and {times} times the previous delay, at most {most}"))
        }
        Backoff::Function(path) => Some(format!("for the delays that {} computes", code(path))),
        Backoff::Closure(_) => Some("for the delays that a closure computes".to_owned()),
        Backoff::Keyword(_) => None,
    }
}

/// Describes delays whose values are unknown, because they depend on a constant.
fn delays_in_words(arguments: &Arguments) -> String {
    match &arguments.delays {
        Some(Arg { value: Delays::Path(path), .. }) => return format!("for the delays in {}", code(path)),
        Some(Arg { value: Delays::List(list), .. }) => {
            let delays: Vec<String> = list.iter().map(|(delay, _)| duration(delay)).collect();
            return delays.join(", then ");
        }
        None => {}
    }
    let first = given_duration(&arguments.start).unwrap_or_else(|| human(schedule::START));
    let growth = match arguments.backoff.as_ref().map(|backoff| &backoff.value) {
        Some(Backoff::Keyword(keywords::Backoff::Fixed)) => "each time".to_owned(),
        Some(Backoff::Keyword(keywords::Backoff::Linear)) => "at first, and that much longer each time".to_owned(),
        Some(Backoff::Keyword(keywords::Backoff::Fibonacci)) => {
            "at first, and longer by the Fibonacci numbers each time".to_owned()
        }
        _ => format!("at first, and {} times as long each time", factor(arguments, schedule::FACTOR)),
    };
    match given_duration(&arguments.max_delay) {
        Some(most) => format!("{first} {growth}, at most {most}"),
        None => format!("{first} {growth}"),
    }
}

fn factor(arguments: &Arguments, default: f64) -> String {
    match arguments.factor.as_ref().map(|factor| &factor.value) {
        Some(Given::Path(path)) => code(path),
        Some(Given::Literal(factor)) => factor.to_string(),
        None => default.to_string(),
    }
}

fn with_jitter(waits: &str, jitter: Jitter) -> String {
    match jitter {
        Jitter::None => format!("Waits {waits}."),
        Jitter::Full => format!("Waits a random time of up to {waits}."),
        Jitter::Equal => format!("Waits {waits}, or randomly down to half of that."),
        Jitter::Share(share) => {
            // Rounded, because a share such as 0.07 is not exact in binary.
            let percent = (share * 1e6).round() / 1e4;
            format!("Waits {waits}, randomly up to {percent} % shorter or longer.")
        }
        Jitter::Plus(extra) => format!("Waits {waits}, randomly up to {} longer.", human(extra)),
    }
}

fn server_delay(arguments: &Arguments) -> Option<String> {
    let limit = match arguments.retry_after.as_ref().map(|limit| &limit.value) {
        Some(RetryAfter::Ignore) => return Some("Ignores the delay that a server asks for.".to_owned()),
        Some(RetryAfter::AtMost(most)) => format!(", at most {}", duration(most)),
        None if arguments.beyond_retry_after.is_some() => format!(", at most {}", human(schedule::RETRY_AFTER)),
        None => String::new(),
    };
    let within = arguments.within_retry_after.as_ref().map(|given| given.value);
    let beyond = beyond_retry_after(arguments);
    let waits = match within {
        Some(WithinRetryAfter::Replace) => "Waits as long as a server asks for",
        _ => "Waits longer if a server asks for it",
    };
    match &arguments.server_delay {
        Some(read) => {
            let reader = expression(&read.value, "a closure");
            let waits = match within {
                Some(WithinRetryAfter::Replace) => {
                    format!("Waits as long as the server asks for, if {reader} returns that")
                }
                _ => format!("Waits longer if {reader} returns a delay that the server asks for"),
            };
            Some(format!("{waits}{limit}.{beyond}"))
        }
        None if limit.is_empty() && within.is_none() && beyond.is_empty() => None,
        None => Some(format!("{waits}{limit}.{beyond}")),
    }
}

/// The sentence about a server's delay above the limit, with a space before it. Empty if the call gives up, which is the default.
fn beyond_retry_after(arguments: &Arguments) -> &'static str {
    match arguments.beyond_retry_after.as_ref().map(|given| given.value) {
        None | Some(BeyondRetryAfter::GiveUp) => "",
        Some(BeyondRetryAfter::Wait) => " Cuts a longer delay to that.",
        Some(BeyondRetryAfter::Ignore) => " Ignores a longer delay.",
    }
}

fn limits(arguments: &Arguments, values: &Values) -> Option<String> {
    let one = given_duration(&arguments.attempt_timeout).map(|one| format!("Stops an attempt after {one}."));
    let all =
        given_duration(&arguments.deadline).map(|all| format!("Gives up {all} after the start of the first attempt."));
    let retries = values.max_attempts() != Some(1);
    let budget = budget(arguments).filter(|_| retries);
    let nested = arguments
        .nested
        .as_ref()
        .map(|_| "Does not retry a failure that a call inside has already retried.".to_owned());
    let limits: Vec<String> = [one, all, budget, nested].into_iter().flatten().collect();
    (!limits.is_empty()).then(|| limits.join(" "))
}

fn budget(arguments: &Arguments) -> Option<String> {
    let given = arguments.budget.as_ref()?;
    Some(format!("Retries while {} has tokens.", shared(&given.value, "the budget")))
}

fn polling(arguments: &Arguments) -> Option<String> {
    let until = arguments.until.as_ref()?;
    Some(format!("Asks again until {} accepts the value.", expression(&until.value, "a closure")))
}

fn hook(arguments: &Arguments) -> Option<String> {
    let hook = arguments.on_retry.as_ref()?;
    Some(format!("Calls {} before each wait.", expression(&hook.value, "a closure")))
}

fn copies(arguments: &Arguments) -> Option<String> {
    let delay = given_duration(&arguments.hedge)?;
    let most = match arguments.hedge_max.as_ref().map(|most| &most.value) {
        Some(Given::Literal(most)) => most.to_string(),
        Some(Given::Path(path)) => code(path),
        None => return Some(format!("Starts a second copy of an attempt that has no outcome after {delay}.")),
    };
    Some(format!("Starts another copy of an attempt every {delay} until there is an outcome, at most {most} copies."))
}

fn breaker(arguments: &Arguments) -> Option<String> {
    arguments
        .breaker
        .as_ref()
        .map(|given| format!("Makes no attempt while {} is open.", shared(&given.value, "the circuit breaker")))
}

fn conditions(arguments: &Arguments, values: &Values) -> String {
    if values.max_attempts() == Some(1) && arguments.policy.is_none() {
        return "Retries nothing.".to_owned();
    }
    let reasons: Vec<String> =
        [statuses(arguments), errors(arguments), successes(arguments)].into_iter().flatten().collect();
    match reasons.as_slice() {
        [] => "Retries nothing.".to_owned(),
        reasons => format!("Retries {}.", reasons.join(", and ")),
    }
}

fn statuses(arguments: &Arguments) -> Option<String> {
    let Some(statuses) = &arguments.on_status else {
        // With `on_error`, the status of an error does not count.
        let whose =
            if arguments.on_error.is_some() { "on responses with a transient status" } else { "on transient statuses" };
        return Some(whose.to_owned());
    };
    let ranges: Vec<String> = statuses.value.iter().map(range).collect();
    let (last, first) = ranges.split_last()?;
    Some(match first {
        [] => format!("on status {last}"),
        first => format!("on status {} or {last}", first.join(", ")),
    })
}

fn range(range: &StatusRange) -> String {
    match (&range.first, &range.last) {
        (first, None) => bound(first),
        (first, Some(last)) => format!("{} to {}", bound(first), bound(last)),
    }
}

fn bound(bound: &StatusBound) -> String {
    match bound {
        StatusBound::Code(status) => status.to_string(),
        StatusBound::Path(path) => code(path),
    }
}

fn errors(arguments: &Arguments) -> Option<String> {
    match arguments.on_error.as_ref().map(|on_error| &on_error.value) {
        None if arguments.on_status.is_some() => Some("on transient errors".to_owned()),
        None => Some("on errors that are not permanent".to_owned()),
        Some(OnError::Keyword(keywords::OnError::Any)) => Some("on every error".to_owned()),
        Some(OnError::Keyword(keywords::OnError::Transient)) => Some("on transient errors".to_owned()),
        Some(OnError::Keyword(keywords::OnError::Never)) => None,
        Some(OnError::Predicate(predicate)) => {
            Some(format!("on errors that {} accepts", expression(predicate, "a closure")))
        }
    }
}

fn successes(arguments: &Arguments) -> Option<String> {
    let on_ok = arguments.on_ok.as_ref()?;
    Some(format!("on values that {} accepts", expression(&on_ok.value, "a closure")))
}

fn shared(given: &Shared, otherwise: &str) -> String {
    match given {
        Shared::Static(path) => code(path),
        Shared::Value(_) => otherwise.to_owned(),
    }
}

/// The text of a path, or a description of any other expression.
fn expression(expr: &Expr, otherwise: &str) -> String {
    match expr {
        Expr::Path(path) => code(path),
        Expr::Group(group) => expression(&group.expr, otherwise),
        _ => otherwise.to_owned(),
    }
}

fn given_duration(argument: &Option<Arg<Given<Duration>>>) -> Option<String> {
    argument.as_ref().map(|argument| duration(&argument.value))
}

fn duration(given: &Given<Duration>) -> String {
    match given {
        Given::Literal(duration) => human(*duration),
        Given::Path(path) => code(path),
    }
}

fn code(tokens: impl ToTokens) -> String {
    format!("`{}`", without_spaces(tokens))
}

#[cfg(test)]
mod tests;
