use proc_macro2::{Delimiter, Group, TokenTree};
use quote::{ToTokens, quote};
use retry_spec::keywords::{self, BeyondRetryAfter, Events, Jitter, Nested, WithinRetryAfter};
use syn::Expr;

use super::*;
use crate::args::model::{Attempts, Backoff, Delays, Given, OnError, RetryAfter, Shared};

/// The arguments, which must be without a mistake.
pub(crate) fn read(tokens: TokenStream) -> Arguments {
    let text = tokens.to_string();
    let (arguments, messages) = read_with_messages(tokens);
    assert_eq!(messages, [""; 0], "{text}");
    arguments
}

fn read_with_messages(tokens: TokenStream) -> (Arguments, Vec<String>) {
    let mut errors = Errors::new();
    let arguments = Arguments::read(tokens, &mut errors);
    (arguments, messages(errors))
}

pub(crate) fn messages(errors: Errors) -> Vec<String> {
    match errors.finish() {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

/// One mistake, and its message.
#[track_caller]
fn refused(tokens: TokenStream, message: &str) {
    assert_eq!(read_with_messages(tokens).1, [message]);
}

/// As a variable of `macro_rules!` arrives.
fn invisible(tokens: TokenStream) -> TokenTree {
    Group::new(Delimiter::None, tokens).into()
}

#[test]
fn empty_arguments_and_a_trailing_comma_are_allowed() {
    assert!(read(quote!()).written.is_empty());
    let arguments = read(quote!(attempts = 3,));
    assert!(matches!(arguments.attempts.unwrap().value, Attempts::Number(3)));
}

#[test]
fn every_argument_of_the_table_is_read() {
    for key in Key::ALL {
        let arguments = read(key.example().parse().unwrap());
        assert!(arguments.is_written(*key), "{key}");
    }
}

#[test]
fn every_value_is_in_its_field() {
    let arguments = read(quote! {
        attempts = 1_000u32, backoff = path::backoff, start = "250ms", factor = 1.5, max_delay = MAX,
        delays = ["1s", LAST], jitter = "20%", random_source = fastrand::f64, on_status = [503], on_error = "any",
        on_ok = |value| value.is_empty(), retry_after = "ignore", within_retry_after = "replace", beyond_retry_after = "wait", deadline = "1m", attempt_timeout = Self::LIMIT,
        policy = &POLICIES[0], bind = r#type, clone = [a, b], name = "load", observer = Log::new(1, 2),
        sleep = async_io::sleep, blocking, crate = facade::retry_runtime, server_delay = reset, drain_limit = 0x100, budget = crate::API, nested = "once",
        drain_timeout = "200ms", breaker = Self::BREAKER, hedge = "50ms", hedge_max = 0x3, events = "off",
        until = Job::is_done, error_delay = |error| error.wait, on_retry = log
    });
    assert!(matches!(arguments.attempts.unwrap().value, Attempts::Number(1000)));
    assert!(matches!(arguments.backoff.unwrap().value, Backoff::Function(_)));
    assert!(matches!(arguments.start.unwrap().value, Given::Literal(start) if start.as_millis() == 250));
    assert!(matches!(arguments.factor.unwrap().value, Given::Literal(1.5)));
    assert!(matches!(arguments.max_delay.unwrap().value, Given::Path(_)));
    assert!(matches!(arguments.delays.unwrap().value, Delays::List(list) if list.len() == 2));
    assert_eq!(arguments.jitter.unwrap().value, Jitter::Share(0.2));
    assert_eq!(arguments.on_status.unwrap().value.len(), 1);
    assert!(matches!(arguments.on_error.unwrap().value, OnError::Keyword(keywords::OnError::Any)));
    assert!(matches!(arguments.on_ok.unwrap().value, Expr::Closure(_)));
    assert!(matches!(arguments.until.unwrap().value, Expr::Path(_)));
    assert!(matches!(arguments.error_delay.unwrap().value, Expr::Closure(_)));
    assert!(matches!(arguments.on_retry.unwrap().value, Expr::Path(_)));
    assert!(matches!(arguments.retry_after.unwrap().value, RetryAfter::Ignore));
    assert_eq!(arguments.within_retry_after.unwrap().value, WithinRetryAfter::Replace);
    assert_eq!(arguments.beyond_retry_after.unwrap().value, BeyondRetryAfter::Wait);
    assert!(matches!(arguments.server_delay.unwrap().value, Expr::Path(_)));
    assert!(matches!(arguments.drain_limit.unwrap().value, Given::Literal(256)));
    assert!(matches!(arguments.nested.unwrap().value, Nested::Once));
    assert_eq!(arguments.events.unwrap().value, Events::Off);
    assert_eq!(text(&arguments.budget.unwrap().value), "crate :: API");
    assert_eq!(text(&arguments.breaker.unwrap().value), "Self :: BREAKER");
    assert!(matches!(arguments.hedge.unwrap().value, Given::Literal(after) if after.as_millis() == 50));
    assert!(matches!(arguments.hedge_max.unwrap().value, Given::Literal(3)));
    assert!(matches!(arguments.drain_timeout.unwrap().value, Given::Literal(most) if most.as_millis() == 200));
    assert!(matches!(arguments.attempt_timeout.unwrap().value, Given::Path(_)));
    assert!(matches!(arguments.policy.unwrap().value, Expr::Reference(_)));
    assert_eq!(arguments.bind.unwrap().value, "r#type");
    assert_eq!(arguments.clone.unwrap().value, ["a", "b"]);
    assert!(matches!(arguments.name.unwrap().value, Given::Literal(name) if name.value() == "load"));
    assert!(matches!(arguments.observer.unwrap().value, Expr::Call(_)));
    assert!(arguments.random_source.is_some() && arguments.sleep.is_some() && arguments.blocking.is_some());
    assert_eq!(arguments.krate.unwrap().value.to_token_stream().to_string(), "facade :: retry_runtime");
    let is_written = |key: &Key| arguments.written.iter().any(|written| written.key == *key);
    let missing: Vec<_> = Key::ALL.iter().filter(|key| !is_written(key)).map(|key| key.name()).collect();
    assert!(missing.is_empty(), "add to the attribute above, and assert the field: {missing:?}");
}

#[test]
fn raw_identifiers_are_keys() {
    assert!(read(quote!(r#start = "1s")).start.is_some());
}

#[test]
fn variables_of_macro_rules_are_read() {
    let (three, one_second, status) = (invisible(quote!(3)), invisible(quote!("1s")), invisible(quote!(503)));
    let (constant, closure) = (invisible(quote!(Self::LIMIT)), invisible(quote!(|e: &E| e.busy(1, 2))));
    let end = invisible(quote!(599));
    let arguments = read(quote! {
        attempts = #three, start = #one_second, on_status = [#status, 500..=#end], deadline = #constant,
        on_error = #closure, delays = [#one_second]
    });
    assert!(matches!(arguments.attempts.unwrap().value, Attempts::Number(3)));
    assert!(matches!(arguments.start.unwrap().value, Given::Literal(start) if start.as_secs() == 1));
    assert_eq!(arguments.on_status.unwrap().value.len(), 2);
    assert!(matches!(arguments.deadline.unwrap().value, Given::Path(_)));
    assert!(matches!(arguments.on_error.unwrap().value, OnError::Predicate(_)));
    assert!(matches!(arguments.delays.unwrap().value, Delays::List(list) if list.len() == 1));
}

#[test]
fn a_closure_keeps_its_commas() {
    let arguments = read(quote!(on_error = |e: &Pair<A, B>| matches!(e, A | B), attempts = 2));
    assert!(arguments.on_error.is_some() && arguments.attempts.is_some());
}

#[test]
fn unknown_arguments_get_a_suggestion() {
    refused(quote!(atempts = 3), "unknown argument `atempts`: did you mean `attempts`?");
    refused(quote!(on_eror = |a, b| a == b), "unknown argument `on_eror`: did you mean `on_error`?");
    let those_with_on = "`on_status`, `on_error`, `on_ok` or `on_retry`";
    refused(quote!(on = [503]), &format!("unknown argument `on`: did you mean {those_with_on}?"));
    let all: Vec<String> = Key::ALL.iter().map(|key| format!("`{key}`")).collect();
    let (last, first) = all.split_last().unwrap();
    let message = format!("unknown argument `colour`: expected {} or {last}", first.join(", "));
    refused(quote!(colour = BLUE), &message);
}

#[test]
fn arguments_of_other_libraries_get_a_hint() {
    const METHODS: &str = "remove it, because the attribute retries every method, or send the request with \
                           `send_with_retry`, which checks the method";
    for (tokens, advice) in [
        (quote!(retries = 3), "`attempts` includes the first attempt: write `attempts = 4`"),
        (quote!(max_retries = N), "`attempts` includes the first attempt: write `attempts = N + 1`"),
        (quote!(times = 4294967295), "`attempts` includes the first attempt: write `attempts = N + 1`"),
        (quote!(max_attempts = 3), "write `attempts`"),
        (quote!(max_times = 3), "`attempts` includes the first attempt: write `attempts = 4`"),
        (quote!(total = 3), "`attempts` includes the first attempt: write `attempts = 4`"),
        (quote!(stop = after(3)), "write `attempts` to limit their number, or `deadline` to limit their time"),
        (quote!(initial_delay = "1s"), "write `start` for the first delay"),
        (quote!(start_timeout = "1s"), "write `start` for the first delay"),
        (quote!(min_timeout = "1s"), "write `start` for the first delay"),
        (quote!(wait_initial = "1s"), "write `start` for the first delay"),
        (quote!(backoff_factor = 2), "write `start` for the first delay, and `factor` for its growth"),
        (
            quote!(timeouts = [1, 2]),
            "write `delays` for the delays between attempts, or `attempt_timeout` to limit each attempt",
        ),
        (quote!(random_func = rand), "write `random_source` with the path of a function"),
        (quote!(status_forcelist = [503]), "write `on_status`"),
        (quote!(retry_all_server_errors = true), "write `on_status = [\"5xx\"]`"),
        (quote!(evaluate_response_callback = f), "write `on_ok` with a closure from the value to `bool`"),
        (quote!(raise_for_status = true), "call `check_status` on the response in the body, and write `on_status`"),
        (quote!(methods = ["GET"]), METHODS),
        (quote!(allowed_methods = ["GET"]), METHODS),
        (quote!(reraise = true), "remove it, because the last error is always returned unchanged"),
        (quote!(notify = f), "write `on_retry` with a closure such as `|retrying| eprintln!(\"{retrying}\")`"),
        (quote!(before_sleep = f), "write `on_retry` with a closure such as `|retrying| eprintln!(\"{retrying}\")`"),
        (quote!(on_giveup = f), "write `observer` with a value whose type implements `Observer`"),
        (quote!(adjust = f), "write `error_delay` with a closure from the error to the delay that it asks for"),
        (quote!(wait_until = f), "write `until` with a closure from the value to `bool`"),
        (quote!(timeout = "1s"), "write `attempt_timeout` to limit each attempt, or `deadline` to limit all of them"),
        (quote!(multiplier = 2), "write `factor`"),
        (quote!(strategy = "fixed"), "write `backoff`"),
        (quote!(statuses = [503]), "write `on_status`"),
        (quote!(when = |e| e.busy()), "write `on_error`"),
        (quote!(retry_if = |e| e.busy()), "write `on_error` for errors, or `on_ok` for successes"),
        (quote!(cap = "1s"), "write `max_delay`"),
        (quote!(max_retry_after = "1s"), "write `retry_after`"),
        (quote!(nested_once = true), "write `nested = \"once\"`"),
        (quote!(circuit_breaker = API), "write `breaker` with the path of a `static Breaker` or an expression"),
        (quote!(hedging_delay = "1s"), "write `hedge` with the delay before the next copy"),
        (quote!(max_hedges = 2), "`hedge_max` includes the first copy: write `hedge_max = 3`"),
        (quote!(rate_limit_header = "x-ratelimit-reset"), "write `server_delay` with a closure that reads the header"),
    ] {
        let key = tokens.clone().into_iter().next().unwrap();
        refused(tokens, &format!("unknown argument `{key}`: {advice}"));
    }
}

#[test]
fn no_hint_is_about_an_argument() {
    for key in Key::ALL {
        let advice = |input: ParseStream| Ok(migration_hints::advice(key.name(), input));
        assert_eq!(advice.parse2(quote!()).unwrap(), None, "`migration_hints.rs` has the name `{key}`");
    }
}

#[test]
fn the_first_of_two_values_stays() {
    let (arguments, messages) = read_with_messages(quote!(start = "1s", start = "2s"));
    assert_eq!(messages, ["`start` is given twice: keep one of them"]);
    assert!(matches!(arguments.start.unwrap().value, Given::Literal(start) if start.as_secs() == 1));
    refused(quote!(blocking, blocking), "`blocking` is given twice: keep one of them");
}

#[test]
fn all_mistakes_are_reported() {
    let (arguments, messages) = read_with_messages(quote! {
        attempts = 0, start = "1x", on_status = [999, 503, "a"], colour, deadline = 5, jitter = "none"
    });
    assert_eq!(messages.len(), 6, "{messages:?}");
    assert!(arguments.jitter.is_some());
    let unreadable = arguments.written.iter().filter(|written| written.value.is_none()).map(|written| written.key);
    let expected = [Key::Attempts, Key::Start, Key::OnStatus, Key::Deadline];
    assert_eq!(unreadable.collect::<Vec<_>>(), expected);
}

#[test]
fn malformed_arguments_are_refused() {
    refused(quote!(attempts), "`attempts` needs a value: write `attempts = 3`");
    refused(quote!(attempts =), "`attempts` needs a value: write `attempts = 3`");
    refused(quote!(attempts = , blocking), "`attempts` needs a value: write `attempts = 3`");
    refused(quote!(attempts(3)), "expected `=`: write `attempts = 3`");
    refused(quote!(start: "1s"), "expected `=`: write `start = \"100ms\"`");
    refused(quote!(blocking = true), "`blocking` takes no value: write `blocking`");
    refused(quote!(3), "expected an argument such as `attempts = 3`");
    refused(quote!("a" = 3, blocking), "expected an argument such as `attempts = 3`");
    refused(quote!(attempts = 3 start = "1s"), "expected `,` before this");
    refused(quote!(policy = A B), "expected `,` before this");
    refused(quote!(attempts = 3 4), "expected `,` before this");
    refused(quote!(attempts = 3 4, blocking), "expected `,` before this");
    refused(quote!(attempts = N "1s", start = "1s"), "expected `,` before this");
    refused(quote!(attempts = 3; start = "1s"), "expected `,`, found `;`");
    let (arguments, messages) = read_with_messages(quote!(start = "1s"; on_status = [503]; jitter = "full";));
    assert_eq!(messages, ["expected `,`, found `;`"; 3]);
    assert!(arguments.start.is_some() && arguments.on_status.is_some() && arguments.jitter.is_some());
    refused(quote!(attempts == 3), "expected `=`: write `attempts = 3`");
    refused(quote!(attempts => 3, blocking), "expected `=`: write `attempts = 3`");
    refused(quote!(max - delay = "1s", blocking), "unknown argument `max-delay`: write `max_delay`");
    refused(
        quote!(max - retries = 3),
        "unknown argument `max-retries`: `attempts` includes the first attempt: write `attempts = 4`",
    );
    refused(quote!(max - dela = "1s"), "unknown argument `max-dela`: did you mean `max_delay`?");
    refused(quote!(,), "expected an argument such as `attempts = 3`");
}

fn text(shared: &Shared) -> String {
    match shared {
        Shared::Static(path) => path.to_token_stream().to_string(),
        Shared::Value(value) => format!("the value of {}", value.to_token_stream()),
    }
}
