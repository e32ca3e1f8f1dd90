//! What the arguments mean together. One rule a function; a rule about two arguments has its caret on the later one.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::arguments::{Arg, Arguments, Attempts, Backoff, Delays, Given, Jitter, OnError, RetryAfter};
use crate::duration::human;
use crate::errors::Errors;
use crate::function::Function;
use crate::schedule::{self, literal};
use parameters::Parameters;

mod parameters;
mod statuses;

pub(crate) fn check(arguments: &Arguments, function: Option<&Function>, errors: &mut Errors) {
    policy_is_the_whole_schedule(arguments, errors);
    delays_are_the_whole_backoff(arguments, errors);
    one_attempt_has_no_schedule(arguments, errors);
    delays_are_some(arguments, errors);
    delays_are_all_used(arguments, errors);
    factor_does_not_shrink(arguments, errors);
    random_source_is_used(arguments, errors);
    // Of a schedule that has no place here, one error an argument is enough.
    if !(arguments.wrote("policy") || arguments.wrote("delays") || is_one_attempt(arguments)) {
        factor_is_exponential(arguments, errors);
        own_backoff_starts_itself(arguments, errors);
        random_backoff_is_bounded(arguments, errors);
        random_backoff_has_no_jitter(arguments, errors);
        max_delay_is_no_less_than_start(arguments, errors);
        fixed_delay_needs_no_cap(arguments, errors);
    }
    if !(arguments.wrote("policy") || is_one_attempt(arguments)) {
        blocking_reads_no_bodies(arguments, errors);
        drain_timeout_is_used(arguments, errors);
        server_delay_is_honoured(arguments, errors);
    }
    hedge_max_is_for_a_hedge(arguments, errors);
    hedge_comes_before_the_limits(arguments, errors);
    blocking_attempts_have_no_copies(arguments, errors);
    limits_are_not_zero(arguments, errors);
    attempt_timeout_is_below_deadline(arguments, errors);
    first_delay_fits_the_deadline(arguments, errors);
    blocking_attempts_cannot_be_cut_off(arguments, errors);
    statuses::statuses_are_listed_once(arguments, errors);
    something_is_retried(arguments, errors);
    name_is_not_empty(arguments, errors);
    if let Some(function) = function {
        let parameters = Parameters::of(&function.sig);
        parameters::clones_are_parameters(arguments, &parameters, errors);
        parameters::bound_name_is_free(arguments, &parameters, errors);
        parameters::constants_are_no_parameters(arguments, &parameters, errors);
    }
}

/// `policy` says all that the arguments of the schedule say.
fn policy_is_the_whole_schedule(arguments: &Arguments, errors: &mut Errors) {
    const SCHEDULE: [&str; 15] = [
        "attempts",
        "backoff",
        "start",
        "factor",
        "max_delay",
        "delays",
        "jitter",
        "random_source",
        "retry_after",
        "drain_limit",
        "drain_timeout",
        "deadline",
        "attempt_timeout",
        "budget",
        "nested",
    ];
    alone("policy", &SCHEDULE, arguments, errors, |other| match &arguments.budget {
        Some(budget) if other.unraw() == "budget" => {
            let path = budget.value.to_token_stream().to_string().replace(' ', "");
            format!("`policy` already says what `budget` says: give it to the policy, with `.budget(|| &{path})`")
        }
        _ => format!("`policy` already says what `{other}` says: remove one of them"),
    });
}

/// `delays` is a list of every delay: there is nothing to compute and nothing to cap.
fn delays_are_the_whole_backoff(arguments: &Arguments, errors: &mut Errors) {
    alone("delays", &["backoff", "start", "factor", "max_delay"], arguments, errors, |other| {
        format!("`delays` spells out every delay, which contradicts `{other}`: remove one of them")
    });
}

/// With `attempts = 1` there is no delay that a schedule could be for.
fn one_attempt_has_no_schedule(arguments: &Arguments, errors: &mut Errors) {
    const SCHEDULE: [&str; 12] = [
        "backoff",
        "start",
        "factor",
        "max_delay",
        "delays",
        "jitter",
        "random_source",
        "retry_after",
        "server_delay",
        "drain_limit",
        "drain_timeout",
        "nested",
    ];
    if !is_one_attempt(arguments) {
        return;
    }
    for key in arguments.written.iter().filter(|key| is_any(key, &SCHEDULE)) {
        errors.at(key.span(), format_args!("`{key}` has no effect: `attempts = 1` never retries"));
    }
}

/// An empty list of delays says nothing.
fn delays_are_some(arguments: &Arguments, errors: &mut Errors) {
    if let Some(Arg { value: Delays::List(delays), span, .. }) = &arguments.delays {
        if delays.is_empty() {
            errors.at(*span, "`delays` is empty: write at least one delay");
        }
    }
}

/// Every delay of the list is for a retry that can happen.
fn delays_are_all_used(arguments: &Arguments, errors: &mut Errors) {
    let (Some(attempts), Some(delays)) = (&arguments.attempts, &arguments.delays) else {
        return;
    };
    let (Attempts::Number(number @ 2..), Delays::List(list)) = (&attempts.value, &delays.value) else {
        return;
    };
    let retries = usize::try_from(number - 1).unwrap_or(usize::MAX);
    let Some((_, unused)) = list.get(retries) else {
        return;
    };
    let place = later(arguments, (&attempts.key, attempts.span), (&delays.key, *unused));
    let count = list.len();
    errors.at(
        place,
        format_args!(
            "{count} delays are for {} attempts, but `attempts` is {number}: the rest is never used",
            count + 1
        ),
    );
}

/// Only exponential delays have a factor.
fn factor_is_exponential(arguments: &Arguments, errors: &mut Errors) {
    let (Some(factor), Some(backoff)) = (&arguments.factor, &arguments.backoff) else {
        return;
    };
    let Some(word) = keyword(&backoff.value).filter(|word| *word != "exponential") else {
        return;
    };
    let place = later_key(arguments, &factor.key, &backoff.key);
    errors.at(place, format_args!("`factor` has no effect with `backoff = \"{word}\"`: remove one of them"));
}

/// Delays do not become shorter from retry to retry.
fn factor_does_not_shrink(arguments: &Arguments, errors: &mut Errors) {
    let Some(factor) = &arguments.factor else {
        return;
    };
    if literal(factor).is_some_and(|value| !value.is_finite() || value < 1.0) {
        errors.at(factor.span, "`factor` must be a finite number of at least 1");
    }
}

/// A function that computes the delays knows where they start and how they grow.
fn own_backoff_starts_itself(arguments: &Arguments, errors: &mut Errors) {
    if matches!(arguments.backoff, Some(Arg { value: Backoff::Custom(_), .. })) {
        alone("backoff", &["start", "factor"], arguments, errors, |other| {
            format!("`{other}` has no effect with a function as `backoff`: remove one of them")
        });
    }
}

/// A random delay has both bounds.
fn random_backoff_is_bounded(arguments: &Arguments, errors: &mut Errors) {
    if arguments.wrote("max_delay") {
        return;
    }
    if let Some((backoff, word)) = random_backoff(arguments) {
        let right = "write for example `max_delay = \"30s\"`";
        errors.at(backoff.span, format_args!("`backoff = \"{word}\"` needs an upper bound: {right}"));
    }
}

/// Randomness on a random delay would only blur its bounds.
fn random_backoff_has_no_jitter(arguments: &Arguments, errors: &mut Errors) {
    let (Some((backoff, word)), Some(jitter)) = (random_backoff(arguments), &arguments.jitter) else {
        return;
    };
    if jitter.value != Jitter::None {
        let place = later_key(arguments, &backoff.key, &jitter.key);
        errors.at(place, format_args!("`backoff = \"{word}\"` is random already: remove `jitter`"));
    }
}

/// A source of random numbers needs something random.
fn random_source_is_used(arguments: &Arguments, errors: &mut Errors) {
    let unknown = arguments.misread(&["jitter", "backoff", "policy"]);
    let random = schedule::jitter(arguments) != Jitter::None || random_backoff(arguments).is_some();
    let Some(source) = &arguments.random_source else {
        return;
    };
    if unknown || random || arguments.policy.is_some() {
        return;
    }
    let exact = ["jitter", "backoff", "start", "factor", "delays"];
    let cause = exact.iter().find_map(|key| arguments.written.iter().find(|written| is_any(written, &[key])));
    let place = later_key(arguments, &source.key, cause.unwrap_or(&source.key));
    errors.at(place, "`random_source` has no effect without `jitter`: write for example `jitter = \"full\"`");
}

/// The cap is not below the first delay, which is 100 ms if it is not written.
fn max_delay_is_no_less_than_start(arguments: &Arguments, errors: &mut Errors) {
    let custom = arguments.backoff.as_ref().is_some_and(|backoff| matches!(backoff.value, Backoff::Custom(_)));
    let elsewhere = custom || arguments.wrote("delays") || arguments.wrote("policy");
    let Some(max_delay) = arguments.max_delay.as_ref().filter(|_| !elsewhere && !arguments.misread(&["start"])) else {
        return;
    };
    let (Some(first), Some(most)) = (schedule::start(arguments), literal(max_delay)) else {
        return;
    };
    if most < first {
        let cap = (&max_delay.key, max_delay.span);
        let place = arguments.start.as_ref().map_or(cap.1, |start| later(arguments, (&start.key, start.span), cap));
        let (first, most) = (human(first), human(most));
        errors
            .at(place, format_args!("`max_delay` ({most}) is shorter than `start` ({first}): write at least {first}"));
    }
}

/// Delays that do not grow never reach a cap, unless jitter makes them longer.
fn fixed_delay_needs_no_cap(arguments: &Arguments, errors: &mut Errors) {
    let (Some(Arg { key, value: Backoff::Fixed, .. }), Some(max_delay)) = (&arguments.backoff, &arguments.max_delay)
    else {
        return;
    };
    let longer = matches!(schedule::jitter(arguments), Jitter::Share(_)) || arguments.misread(&["jitter", "start"]);
    let below = schedule::start(arguments).zip(literal(max_delay)).is_some_and(|(start, most)| start <= most);
    if below && !longer {
        let place = later_key(arguments, key, &max_delay.key);
        errors.at(place, "`max_delay` has no effect with `backoff = \"fixed\"`: remove one of them");
    }
}

/// A thread that sleeps does nothing else.
fn blocking_reads_no_bodies(arguments: &Arguments, errors: &mut Errors) {
    if arguments.blocking.is_none() {
        return;
    }
    for key in arguments.written.iter().filter(|key| is_any(key, &["drain_limit", "drain_timeout"])) {
        errors.at(key.span(), format_args!("`{key}` has no effect with `blocking`, which reads no bodies: remove it"));
    }
}

/// There are bodies to read, and time to read them.
fn drain_timeout_is_used(arguments: &Arguments, errors: &mut Errors) {
    let Some(timeout) = arguments.drain_timeout.as_ref().filter(|_| arguments.blocking.is_none()) else {
        return;
    };
    match arguments.drain_limit.as_ref().filter(|limit| literal(limit) == Some(0)) {
        Some(limit) => {
            let place = later_key(arguments, &timeout.key, &limit.key);
            errors.at(place, "`drain_timeout` has no effect with `drain_limit = 0`: remove one of them");
        }
        None if literal(timeout).is_some_and(|duration| duration.is_zero()) => {
            errors.at(timeout.span, "`drain_timeout` is zero: write `drain_limit = 0` to read no bodies");
        }
        None => {}
    }
}

/// A delay that is read from an answer is not ignored.
fn server_delay_is_honoured(arguments: &Arguments, errors: &mut Errors) {
    let (Some(read), Some(Arg { key, value: RetryAfter::Ignore, .. })) =
        (&arguments.server_delay, &arguments.retry_after)
    else {
        return;
    };
    let place = later_key(arguments, &read.key, key);
    errors.at(place, "`server_delay` has no effect with `retry_after = \"ignore\"`: remove one of them");
}

/// How many copies there are matters where there are any.
fn hedge_max_is_for_a_hedge(arguments: &Arguments, errors: &mut Errors) {
    if let Some(most) = arguments.hedge_max.as_ref().filter(|_| !arguments.wrote("hedge")) {
        errors.at(most.key.span(), "`hedge_max` has no effect without `hedge`: write for example `hedge = \"50ms\"`");
    }
}

/// A copy is made while there is time for it.
fn hedge_comes_before_the_limits(arguments: &Arguments, errors: &mut Errors) {
    let Some(hedge) = &arguments.hedge else {
        return;
    };
    let Some(after) = literal(hedge) else {
        return;
    };
    if after.is_zero() {
        return errors
            .at(hedge.span, "`hedge` is zero, so that each attempt would be made twice at once: write a time");
    }
    for limit in [&arguments.deadline, &arguments.attempt_timeout].into_iter().flatten() {
        let Some(most) = literal(limit).filter(|most| after >= *most && !most.is_zero()) else {
            continue;
        };
        let place = later(arguments, (&hedge.key, hedge.span), (&limit.key, limit.span));
        let (after, most, limit) = (human(after), human(most), &limit.key);
        let right = "write a shorter `hedge`";
        errors.at(place, format_args!("`hedge` ({after}) has no effect under the `{limit}` of {most}: {right}"));
        return;
    }
}

/// A thread does one thing at a time.
fn blocking_attempts_have_no_copies(arguments: &Arguments, errors: &mut Errors) {
    if let (Some(blocking), Some(hedge)) = (&arguments.blocking, &arguments.hedge) {
        let place = later_key(arguments, blocking, &hedge.key);
        errors.at(place, "a blocking function makes one copy of an attempt at a time: remove `hedge`");
    }
}

/// In no time nothing can be done.
fn limits_are_not_zero(arguments: &Arguments, errors: &mut Errors) {
    for limit in [&arguments.deadline, &arguments.attempt_timeout].into_iter().flatten() {
        if literal(limit).is_some_and(|duration| duration.is_zero()) {
            errors.at(limit.span, format_args!("`{}` is zero: no attempt could succeed in it", limit.key));
        }
    }
}

/// An attempt timeout that the deadline precedes never fires.
fn attempt_timeout_is_below_deadline(arguments: &Arguments, errors: &mut Errors) {
    let (Some(timeout), Some(deadline)) = (&arguments.attempt_timeout, &arguments.deadline) else {
        return;
    };
    let (Some(one), Some(all)) = (literal(timeout), literal(deadline)) else {
        return;
    };
    if one >= all && !all.is_zero() {
        let place = later(arguments, (&timeout.key, timeout.span), (&deadline.key, deadline.span));
        let (one, all) = (human(one), human(all));
        errors.at(
            place,
            format_args!(
                "`attempt_timeout` ({one}) has no effect under a `deadline` of {all}: write a shorter `attempt_timeout`"
            ),
        );
    }
}

/// Under the deadline there is room for the shortest first delay, or no retry is ever made.
fn first_delay_fits_the_deadline(arguments: &Arguments, errors: &mut Errors) {
    let unknown = arguments.misread(&["attempts", "backoff", "start", "factor", "max_delay", "delays", "jitter"]);
    let Some(deadline) = arguments.deadline.as_ref().filter(|_| !unknown && !arguments.wrote("policy")) else {
        return;
    };
    let (Some(all), Some(first)) = (literal(deadline), schedule::shortest_first(arguments)) else {
        return;
    };
    if first >= all && all > Duration::ZERO && schedule::attempts(arguments) != Some(1) {
        let (first, all) = (human(first), human(all));
        errors.at(
            deadline.span,
            format_args!(
                "the first delay is at least {first}, which does not fit in the `deadline` of {all}: no retry could be made"
            ),
        );
    }
}

/// A thread cannot be stopped in the middle of an attempt.
fn blocking_attempts_cannot_be_cut_off(arguments: &Arguments, errors: &mut Errors) {
    if let (Some(blocking), Some(timeout)) = (&arguments.blocking, &arguments.attempt_timeout) {
        let place = later_key(arguments, blocking, &timeout.key);
        errors.at(place, "a blocking attempt cannot be cut off: remove `attempt_timeout`, or write `deadline`");
    }
}

/// Some outcome is worth another attempt.
fn something_is_retried(arguments: &Arguments, errors: &mut Errors) {
    let (Some(error), Some(status)) = (&arguments.on_error, &arguments.on_status) else {
        return;
    };
    if matches!(error.value, OnError::Never) && status.value.is_empty() && !arguments.wrote("on_ok") {
        let place = later_key(arguments, &error.key, &status.key);
        errors.at(place, "nothing is retried with `on_status = []` and `on_error = \"never\"`: remove one of them");
    }
}

/// An event needs a name that can be read.
fn name_is_not_empty(arguments: &Arguments, errors: &mut Errors) {
    if let Some(Arg { value: Given::Literal(name), span, .. }) = &arguments.name {
        if name.value().trim().is_empty() {
            errors.at(*span, "the name is empty: leave `name` out for the name of the function");
        }
    }
}

/// One argument that leaves no room for others: an error at each that comes after it, or at itself if one came before.
fn alone(key: &str, others: &[&str], arguments: &Arguments, errors: &mut Errors, message: impl Fn(&Ident) -> String) {
    let Some(place) = arguments.written.iter().position(|written| is_any(written, &[key])) else {
        return;
    };
    let (before, after) = arguments.written.split_at(place);
    if let Some(other) = before.iter().find(|other| is_any(other, others)) {
        errors.at(after[0].span(), message(other));
    }
    for other in after.iter().filter(|other| is_any(other, others)) {
        errors.at(other.span(), message(other));
    }
}

pub(crate) fn is_one_attempt(arguments: &Arguments) -> bool {
    matches!(arguments.attempts, Some(Arg { value: Attempts::Number(1), .. }))
}

fn is_any(key: &Ident, names: &[&str]) -> bool {
    names.iter().any(|name| key.unraw() == name)
}

fn later_key(arguments: &Arguments, one: &Ident, other: &Ident) -> Span {
    later(arguments, (one, one.span()), (other, other.span()))
}

/// The place that belongs to the key that was written later.
fn later(arguments: &Arguments, one: (&Ident, Span), other: (&Ident, Span)) -> Span {
    let last = arguments.written.iter().rfind(|written| *written == one.0 || *written == other.0);
    if last == Some(one.0) { one.1 } else { other.1 }
}

/// The word for a backoff, which is also the name of its constructor.
pub(crate) fn keyword(backoff: &Backoff) -> Option<&'static str> {
    Some(match backoff {
        Backoff::Exponential => "exponential",
        Backoff::Fixed => "fixed",
        Backoff::Linear => "linear",
        Backoff::Fibonacci => "fibonacci",
        Backoff::Random => "random",
        Backoff::Decorrelated => "decorrelated",
        Backoff::Custom(_) => return None,
    })
}

fn random_backoff(arguments: &Arguments) -> Option<(&Arg<Backoff>, &'static str)> {
    let backoff = arguments.backoff.as_ref()?;
    let random = matches!(backoff.value, Backoff::Random | Backoff::Decorrelated);
    keyword(&backoff.value).filter(|_| random).map(|word| (backoff, word))
}

#[cfg(test)]
mod tests;
