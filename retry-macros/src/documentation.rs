//! The section "Retries" at the end of a function's documentation.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Expr, Meta, Visibility};

use crate::arguments::{
    Arg, Arguments, Attempts, Backoff, Delays, Given, Jitter, OnError, RetryAfter, StatusBound, StatusRange,
};
use crate::duration::human;
use crate::function::Function;
use crate::schedule;

/// Delays that are spelled out before "…".
const SHOWN: u32 = 5;

/// A section must not pass for documentation that nobody wrote. An undocumented `pub` item keeps `missing_docs`. An
/// undocumented method may be one of a trait, where the lint goes by the trait's visibility, or of an implementation,
/// where rustdoc would show the section in place of the trait's text.
pub(crate) fn wants_section(function: &Function) -> bool {
    let free = function.sig.receiver().is_none();
    let private = !matches!(function.vis, Visibility::Public(_));
    function.attrs.iter().any(is_documentation) || (private && free)
}

/// `/// text`, but not `#[doc(hidden)]`.
fn is_documentation(attr: &Attribute) -> bool {
    attr.path().is_ident("doc") && matches!(attr.meta, Meta::NameValue(_))
}

pub(crate) fn retries_section(arguments: &Arguments) -> String {
    let sentences = match &arguments.policy {
        Some(policy) => {
            let says = format!("Retries as {} says.", expression(&policy.value, "its policy"));
            vec![Some(says), server_delay(arguments), copies(arguments), breaker(arguments)]
        }
        None => vec![
            Some(attempts(arguments)),
            delays(arguments),
            server_delay(arguments),
            limits(arguments),
            copies(arguments),
            breaker(arguments),
        ],
    };
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    let conditions = conditions(arguments);
    format!("# Retries\n\n{} {conditions}", sentences.join(" "))
}

fn attempts(arguments: &Arguments) -> String {
    let number = match (&arguments.attempts, &arguments.delays) {
        (Some(Arg { value: Attempts::Unlimited, .. }), _) => return "Makes attempts without a limit.".to_owned(),
        (Some(Arg { value: Attempts::Path(path), .. }), _) => code(path),
        (None, Some(Arg { value: Delays::Path(path), .. })) => {
            return format!("Makes at most one attempt more than {} has delays.", code(path));
        }
        _ => schedule::attempts(arguments).unwrap_or(schedule::ATTEMPTS).to_string(),
    };
    match number.as_str() {
        "1" => "Makes 1 attempt.".to_owned(),
        number => format!("Makes at most {number} attempts."),
    }
}

/// Nothing where no retry is ever made.
fn delays(arguments: &Arguments) -> Option<String> {
    let limit = schedule::attempts(arguments).map(|attempts| attempts - 1);
    if limit == Some(0) {
        return None;
    }
    if let Some(text) = uncounted_delays(arguments) {
        return Some(format!("Waits {text}."));
    }
    let shown = limit.unwrap_or(SHOWN).min(SHOWN);
    let known: Option<Vec<String>> = (1..=shown).map(|n| schedule::delay(arguments, n).map(legible)).collect();
    let more = if limit.is_none_or(|limit| limit > SHOWN) { ", …" } else { "" };
    let fixed = matches!(arguments.backoff, Some(Arg { value: Backoff::Fixed, .. }));
    let waits = match known.filter(|_| !fixed) {
        Some(known) => format!("{}{more}", known.join(", then ")),
        None => delays_in_words(arguments),
    };
    Some(with_jitter(&waits, schedule::jitter(arguments)))
}

/// Powers of a factor have digits that nobody reads.
fn legible(delay: Duration) -> String {
    let nanoseconds = match delay.as_millis() {
        0 => delay,
        _ => Duration::new(delay.as_secs(), delay.subsec_micros() * 1_000),
    };
    human(nanoseconds)
}

/// Delays that are no series.
fn uncounted_delays(arguments: &Arguments) -> Option<String> {
    let first = given_duration(&arguments.start).unwrap_or_else(|| human(schedule::START));
    let most = given_duration(&arguments.max_delay).unwrap_or_default();
    match &arguments.backoff.as_ref()?.value {
        Backoff::Random => Some(format!("at random between {first} and {most}")),
        Backoff::Decorrelated => {
            Some(format!("at random between {first} and three times the delay before, at most {most}"))
        }
        Backoff::Custom(path) => Some(format!("as long as {} says", code(path))),
        _ => None,
    }
}

/// Where a constant keeps the figures from being known.
fn delays_in_words(arguments: &Arguments) -> String {
    match &arguments.delays {
        Some(Arg { value: Delays::Path(path), .. }) => return format!("as long as {} says", code(path)),
        Some(Arg { value: Delays::List(list), .. }) => {
            let delays: Vec<String> = list.iter().map(|(delay, _)| duration(delay)).collect();
            return delays.join(", then ");
        }
        None => {}
    }
    let first = given_duration(&arguments.start).unwrap_or_else(|| human(schedule::START));
    let growth = match arguments.backoff.as_ref().map(|backoff| &backoff.value) {
        Some(Backoff::Fixed) => "each time".to_owned(),
        Some(Backoff::Linear) => "at first, and that much longer each time".to_owned(),
        Some(Backoff::Fibonacci) => "at first, and longer in Fibonacci numbers each time".to_owned(),
        _ => format!("at first, and {} times as long each time", factor(arguments)),
    };
    match given_duration(&arguments.max_delay) {
        Some(most) => format!("{first} {growth}, at most {most}"),
        None => format!("{first} {growth}"),
    }
}

fn factor(arguments: &Arguments) -> String {
    match arguments.factor.as_ref().map(|factor| &factor.value) {
        Some(Given::Path(path)) => code(path),
        Some(Given::Literal(factor)) => factor.to_string(),
        None => schedule::FACTOR.to_string(),
    }
}

fn with_jitter(waits: &str, jitter: Jitter) -> String {
    match jitter {
        Jitter::None => format!("Waits {waits}."),
        Jitter::Full => format!("Waits at random, up to {waits}."),
        Jitter::Equal => format!("Waits {waits}, or at random down to half of that."),
        Jitter::Share(share) => {
            // A share such as 0.07 is not exact in binary.
            let percent = (share * 1e6).round() / 1e4;
            format!("Waits {waits}, at random up to {percent} % shorter or longer.")
        }
    }
}

fn server_delay(arguments: &Arguments) -> Option<String> {
    let limit = match arguments.retry_after.as_ref().map(|limit| &limit.value) {
        Some(RetryAfter::Ignore) => return Some("Ignores the delay that a server asks for.".to_owned()),
        Some(RetryAfter::AtMost(most)) => format!(", at most {}", duration(most)),
        None => String::new(),
    };
    match &arguments.server_delay {
        Some(read) => {
            let reader = expression(&read.value, "a closure");
            Some(format!("Waits longer if a server asks for it, as {reader} reads it{limit}."))
        }
        None if limit.is_empty() => None,
        None => Some(format!("Waits longer if a server asks for it{limit}.")),
    }
}

fn limits(arguments: &Arguments) -> Option<String> {
    let one = given_duration(&arguments.attempt_timeout).map(|one| format!("Cuts an attempt off after {one}."));
    let all = given_duration(&arguments.deadline).map(|all| format!("Gives up {all} after the first attempt began."));
    let retries = schedule::attempts(arguments) != Some(1);
    let budget = arguments
        .budget
        .as_ref()
        .filter(|_| retries)
        .map(|path| format!("Retries as long as {} has tokens.", code(&path.value)));
    let nested = arguments.nested.as_ref().map(|_| "Does not retry what was retried inside already.".to_owned());
    let limits: Vec<String> = [one, all, budget, nested].into_iter().flatten().collect();
    (!limits.is_empty()).then(|| limits.join(" "))
}

fn copies(arguments: &Arguments) -> Option<String> {
    let after = given_duration(&arguments.hedge)?;
    let most = match arguments.hedge_max.as_ref().map(|most| &most.value) {
        Some(Given::Literal(most)) => most.to_string(),
        Some(Given::Path(path)) => code(path),
        None => return Some(format!("Makes an attempt twice at a time when there is no answer after {after}.")),
    };
    Some(format!("Makes another copy of an attempt each time that there is no answer after {after}, at most {most}."))
}

fn breaker(arguments: &Arguments) -> Option<String> {
    arguments.breaker.as_ref().map(|path| format!("Makes no attempt while {} is open.", code(&path.value)))
}

fn conditions(arguments: &Arguments) -> String {
    if schedule::attempts(arguments) == Some(1) && arguments.policy.is_none() {
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
        // What an error carries is then for `on_error` to say.
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
        Some(OnError::Any) => Some("on every error".to_owned()),
        Some(OnError::Transient) => Some("on transient errors".to_owned()),
        Some(OnError::Never) => None,
        Some(OnError::Predicate(predicate)) => {
            Some(format!("on errors that {} picks", expression(predicate, "a closure")))
        }
    }
}

fn successes(arguments: &Arguments) -> Option<String> {
    let on_ok = arguments.on_ok.as_ref()?;
    Some(format!("on successes that {} picks", expression(&on_ok.value, "a closure")))
}

/// A path is shown; code is not prose.
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
    let text = TokenStream::to_string(&tokens.into_token_stream());
    format!("`{}`", text.replace(' ', ""))
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;
    use crate::arguments::tests::read;
    use crate::errors::Errors;

    #[test]
    fn sections() {
        for (tokens, text) in [
            (
                quote!(),
                "Makes at most 3 attempts. Waits at random, up to 100 ms, then 200 ms. \
                 Retries on transient statuses, and on errors that are not permanent.",
            ),
            (
                quote!(attempts = 3, backoff = "exponential", start = "1s", on_status = [503]),
                "Makes at most 3 attempts. Waits 1 s, then 2 s. Retries on status 503, and on transient errors.",
            ),
            (
                quote!(attempts = 9, start = "1s", jitter = "20%", on_status = [429, "5xx"], on_error = "never"),
                "Makes at most 9 attempts. Waits 1 s, then 2 s, then 4 s, then 8 s, then 16 s, …, at random up to \
                 20 % shorter or longer. Retries on status 429 or 500 to 599.",
            ),
            (
                quote!(attempts = Self::MAX, backoff = "fixed", jitter = "equal", on_status = [], on_error = is_busy),
                "Makes at most `Self::MAX` attempts. Waits 100 ms each time, or at random down to half of that. Retries on errors that `is_busy` picks.",
            ),
            (
                quote!(
                    attempts = "unlimited",
                    start = START,
                    max_delay = "1m",
                    on_error = |e| e.busy(),
                    on_ok = is_stale
                ),
                "Makes attempts without a limit. Waits `START` at first, and 2 times as long each time, at most 1 min. \
                 Retries on responses with a transient status, and on errors that a closure picks, and on successes that `is_stale` picks.",
            ),
            (
                quote!(
                    delays = ["1s", LAST],
                    retry_after = "10s",
                    deadline = "1m",
                    attempt_timeout = "5s",
                    on_error = "any"
                ),
                "Makes at most 3 attempts. Waits 1 s, then `LAST`. Waits longer if a server asks for it, at most 10 s. \
                 Cuts an attempt off after 5 s. Gives up 1 min after the first attempt began. \
                 Retries on responses with a transient status, and on every error.",
            ),
            (
                quote!(backoff = "random", max_delay = "1s", retry_after = "ignore", on_status = [A..=B, C]),
                "Makes at most 3 attempts. Waits at random between 100 ms and 1 s. Ignores the delay that a server asks \
                 for. Retries on status `A` to `B` or `C`, and on transient errors.",
            ),
            (
                quote!(delays = DELAYS, on_status = [503], on_error = "transient"),
                "Makes at most one attempt more than `DELAYS` has delays. Waits as long as `DELAYS` says. \
                 Retries on status 503, and on transient errors.",
            ),
            (
                quote!(start = "1s", server_delay = reset, on_status = [429]),
                "Makes at most 3 attempts. Waits 1 s, then 2 s. Waits longer if a server asks for it, as `reset` reads \
                 it. Retries on status 429, and on transient errors.",
            ),
            (
                quote!(policy = POLICY, server_delay = |page| page.wait, on_status = [429]),
                "Retries as `POLICY` says. Waits longer if a server asks for it, as a closure reads it. \
                 Retries on status 429, and on transient errors.",
            ),
            (
                quote!(start = "1s", budget = crate::API, nested = "once", on_status = [503]),
                "Makes at most 3 attempts. Waits 1 s, then 2 s. Retries as long as `crate::API` has tokens. \
                 Does not retry what was retried inside already. Retries on status 503, and on transient errors.",
            ),
            (
                quote!(start = "1s", breaker = Self::BREAKER, hedge = "50ms", on_status = [503]),
                "Makes at most 3 attempts. Waits 1 s, then 2 s. Makes an attempt twice at a time when there is no answer \
                 after 50 ms. Makes no attempt while `Self::BREAKER` is open. Retries on status 503, and on transient errors.",
            ),
            (
                quote!(policy = POLICY, hedge = LATE, hedge_max = 3, breaker = B, on_status = [503]),
                "Retries as `POLICY` says. Makes another copy of an attempt each time that there is no answer after \
                 `LATE`, at most 3. Makes no attempt while `B` is open. Retries on status 503, and on transient errors.",
            ),
            (
                quote!(attempts = 1, breaker = B, hedge = "1s", hedge_max = MOST),
                "Makes 1 attempt. Makes another copy of an attempt each time that there is no answer after 1 s, at most \
                 `MOST`. Makes no attempt while `B` is open. Retries nothing.",
            ),
            (quote!(attempts = 1, budget = API), "Makes 1 attempt. Retries nothing."),
            (quote!(attempts = 1, on_status = [503], on_error = "never"), "Makes 1 attempt. Retries nothing."),
            (quote!(policy = POLICY, on_status = [], on_error = "never"), "Retries as `POLICY` says. Retries nothing."),
        ] {
            assert_eq!(retries_section(&read(tokens)), format!("# Retries\n\n{text}"));
        }
    }

    fn wants(item: TokenStream) -> bool {
        let mut errors = Errors::new();
        let function = Function::read(item, &Arguments::default(), &mut errors).unwrap();
        errors.finish().unwrap();
        wants_section(&function)
    }

    #[test]
    fn undocumented_items_stay_undocumented() {
        assert!(!wants(quote!(
            pub async fn f() -> R {}
        )));
        assert!(!wants(quote!(
            #[doc(hidden)]
            pub async fn f() -> R {}
        )));
        assert!(!wants(quote!(
            async fn f(&self) -> R {}
        )));
        assert!(wants(quote!(
            #[doc = "text"]
            pub async fn f() -> R {}
        )));
        assert!(wants(quote!(
            #[doc = "text"]
            async fn f(&self) -> R {}
        )));
        assert!(wants(quote!(
            async fn f() -> R {}
        )));
        assert!(wants(quote!(
            pub(crate) async fn f() -> R {}
        )));
    }

    #[test]
    fn a_path_out_of_a_macro_is_shown() {
        let path: Expr = parse_quote!(a::b);
        assert_eq!(expression(&path, "a closure"), "`a::b`");
    }
}
