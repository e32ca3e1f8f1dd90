use proc_macro2::{Ident, TokenStream};
use quote::quote;
use retry_spec::key::{Key, Kind};

use super::*;
use crate::args::parse::tests::messages;
use crate::input::function::Function;

fn messages_about(attribute: TokenStream, item: TokenStream) -> Vec<String> {
    let mut errors = Errors::new();
    let arguments = Arguments::read(attribute, &mut errors);
    let function = Function::read(item, &arguments, &mut errors);
    check(&arguments, function.as_ref().map(|function| &function.sig), &mut errors);
    messages(errors)
}

fn messages_of(attribute: TokenStream) -> Vec<String> {
    messages_about(
        attribute,
        quote!(
            async fn load(client: &Client, (url, [id, ..]): Pair) -> R {}
        ),
    )
}

#[track_caller]
fn refused(attribute: TokenStream, message: &str) {
    assert_eq!(messages_of(attribute), [message]);
}

#[track_caller]
fn accepted(attribute: TokenStream) {
    assert_eq!(messages_of(attribute), [""; 0]);
}

#[test]
fn ordinary_attributes_are_accepted() {
    accepted(quote!());
    accepted(quote!(attempts = 3, backoff = "exponential", start = "1s", on_status = [503]));
    accepted(quote!(attempts = 1));
    accepted(quote!(attempts = "unlimited", deadline = "1m", attempt_timeout = "5s", bind = attempt, clone = [id]));
    accepted(quote!(policy = POLICY, on_status = ["5xx"], bind = attempt, clone = [url], name = "x", observer = LOG));
}

#[test]
fn policy_excludes_the_schedule() {
    refused(quote!(policy = P, start = "1s"), "`policy` already defines `start`: remove one of them");
    refused(quote!(start = "1s", policy = P), "`policy` already defines `start`: remove one of them");
    for key in ["attempts = 3", "jitter = \"full\"", "deadline = \"1s\"", "retry_after = \"1s\"", "random_source = f"] {
        assert_eq!(messages_of(format!("policy = P, {key}").parse().unwrap()).len(), 1, "{key}");
    }
    assert_eq!(messages_of(quote!(policy = P, attempts = 4, max_delay = "1s")).len(), 2);
    assert_eq!(messages_of(quote!(attempts = 4, deadline = "1s", policy = P)).len(), 1);
}

#[test]
fn delays_exclude_a_computed_backoff() {
    let both = "`delays` lists every delay, so `start` has no effect: remove one of them";
    refused(quote!(delays = ["1s"], start = "1s"), both);
    refused(quote!(start = "1s", delays = ["1s"]), both);
    for other in ["backoff = \"linear\"", "factor = 2", "max_delay = \"1s\""] {
        assert_eq!(messages_of(format!("delays = [\"1s\"], {other}").parse().unwrap()).len(), 1, "{other}");
    }
    accepted(quote!(delays = ["1s", "2s"], jitter = "20%"));
    refused(quote!(delays = []), "`delays` is empty: write at least one delay");
    refused(
        quote!(attempts = 2, delays = ["1s", "2s"]),
        "2 delays need 3 attempts, but `attempts` is 2: write `attempts = 3`, or remove the last delay",
    );
    accepted(quote!(attempts = 3, delays = ["1s", "2s"]));
    accepted(quote!(attempts = 9, delays = ["1s", "2s"]));
    accepted(quote!(attempts = "unlimited", delays = ["1s", "2s"]));
}

#[test]
fn one_attempt_has_no_schedule() {
    refused(quote!(attempts = 1, start = "1s"), "`start` has no effect: `attempts = 1` never retries");
    refused(quote!(delays = ["1s"], attempts = 1), "`delays` has no effect: `attempts = 1` never retries");
    assert_eq!(messages_of(quote!(attempts = 1, backoff = "linear", jitter = "full")).len(), 2);
    assert_eq!(messages_of(quote!(attempts = 1, within_retry_after = "raise", beyond_retry_after = "wait")).len(), 2);
    accepted(quote!(attempts = 1, deadline = "1s", on_status = [503]));
}

#[test]
fn factor_needs_an_exponential_backoff() {
    let fixed = "`factor` has no effect with `backoff = \"fixed\"`: remove one of them";
    refused(quote!(backoff = "fixed", factor = 2), fixed);
    refused(quote!(factor = 2, backoff = "fixed"), fixed);
    accepted(quote!(factor = 2));
    accepted(quote!(backoff = "decorrelated", factor = 2, max_delay = "9s"));
    accepted(quote!(backoff = "exponential", factor = 1));
    accepted(quote!(factor = FACTOR));
    for wrong in [quote!(factor = 0.5), quote!(factor = -2), quote!(factor = 1e999)] {
        refused(wrong, "`factor` must be a finite number of at least 1");
    }
}

#[test]
fn a_function_as_backoff_takes_no_start() {
    let start = "`start` has no effect with a function as `backoff`: remove one of them";
    refused(quote!(backoff = mine, start = "1s"), start);
    refused(quote!(start = "1s", backoff = mine), start);
    assert_eq!(messages_of(quote!(backoff = mine, start = "1s", factor = 2)).len(), 2);
    accepted(quote!(backoff = mine, max_delay = "1s", jitter = "full"));
}

#[test]
fn random_backoffs_need_a_cap_and_no_jitter() {
    for word in ["random", "decorrelated"] {
        let bound = format!("`backoff = \"{word}\"` needs an upper bound: write for example `max_delay = \"30s\"`");
        refused(quote!(backoff = #word), &bound);
        let jitter = format!("`backoff = \"{word}\"` is already random: remove `jitter`");
        refused(quote!(backoff = #word, max_delay = "1s", jitter = "full"), &jitter);
        accepted(quote!(backoff = #word, max_delay = MAX, jitter = "none", random_source = f));
    }
    // A value that cannot be read is not a missing value.
    assert_eq!(messages_of(quote!(backoff = "random", max_delay = "1x")).len(), 1);
}

#[test]
fn a_random_source_needs_jitter() {
    let message = "`random_source` has no effect without `jitter`: write for example `jitter = \"full\"`";
    refused(quote!(random_source = f, start = "1s"), message);
    refused(quote!(random_source = f, jitter = "none"), message);
    refused(quote!(delays = ["1s"], random_source = f), message);
    accepted(quote!(random_source = f));
    accepted(quote!(random_source = f, max_delay = "1s"));
    accepted(quote!(random_source = f, start = "1s", jitter = "20%"));
    assert_eq!(messages_of(quote!(random_source = f, start = "1s", jitter = "ful")).len(), 1);
}

#[test]
fn max_delay_is_at_least_start() {
    refused(quote!(max_delay = "50ms"), "`max_delay` (50 ms) is shorter than `start` (100 ms): write at least 100 ms");
    refused(
        quote!(start = "2s", max_delay = "1s"),
        "`max_delay` (1 s) is shorter than `start` (2 s): write at least 2 s",
    );
    accepted(quote!(start = "2s", max_delay = "2s"));
    accepted(quote!(start = START, max_delay = "1s"));
    let fixed = "`max_delay` has no effect with `backoff = \"fixed\"`: remove one of them";
    refused(quote!(backoff = "fixed", max_delay = "1s"), fixed);
    accepted(quote!(backoff = "fixed", max_delay = "1s", jitter = "20%"));
    accepted(quote!(backoff = "fixed", max_delay = MAX));
    accepted(quote!(backoff = "fixed", start = START, max_delay = "1s"));
}

#[test]
fn limits_are_not_zero_and_in_order() {
    refused(quote!(deadline = "0s"), "`deadline` must be longer than zero: no attempt could succeed");
    refused(quote!(attempt_timeout = "0s"), "`attempt_timeout` must be longer than zero: no attempt could succeed");
    let message = "`attempt_timeout` (5 s) has no effect under a `deadline` of 5 s: write a shorter `attempt_timeout`";
    refused(quote!(attempt_timeout = "5s", deadline = "5s"), message);
    accepted(quote!(attempt_timeout = "4s", deadline = "5s"));
    accepted(quote!(attempt_timeout = LIMIT, deadline = "5s"));
}

#[test]
fn the_first_delay_fits_into_the_deadline() {
    // The number of attempts is unknown here: one attempt would have no delay.
    accepted(quote!(start = "1s", deadline = "1s", attempts = N));
    let message =
        "the first delay is at least 1 s, which does not fit in the `deadline` of 500 ms: no retry could start";
    refused(quote!(start = "1s", deadline = "500ms"), message);
    refused(quote!(deadline = "500ms", delays = ["1s", "1ms"]), message);
    refused(quote!(start = "2s", jitter = "equal", deadline = "500ms"), message);
    refused(quote!(start = "2s", jitter = "50%", deadline = "500ms"), message);
    refused(
        quote!(jitter = "none", deadline = "100ms"),
        "the first delay is at least 100 ms, which does not fit in the `deadline` of 100 ms: no retry could start",
    );
    accepted(quote!(deadline = "50ms"));
    accepted(quote!(start = "1s", jitter = "full", deadline = "500ms"));
    accepted(quote!(start = "1s", jitter = "equal", deadline = "501ms"));
    accepted(quote!(start = START, deadline = "500ms"));
    accepted(quote!(backoff = mine, deadline = "1ms"));
    accepted(quote!(attempts = 1, deadline = "1ms"));
    assert_eq!(messages_of(quote!(start = "1s", jitter = "ful", deadline = "500ms")).len(), 1);
}

#[test]
fn a_blocking_function_has_no_attempt_timeout() {
    let attribute = quote!(blocking, attempt_timeout = "1s");
    let message = "a blocking attempt cannot be stopped: remove `attempt_timeout`, or write `deadline`";
    assert_eq!(
        messages_about(
            attribute,
            quote!(
                fn f() -> R {}
            )
        ),
        [message]
    );
    let attribute = quote!(blocking, deadline = "1s", sleep = path::to::sleep);
    assert_eq!(
        messages_about(
            attribute,
            quote!(
                fn f() -> R {}
            )
        ),
        [""; 0]
    );
}

#[test]
fn some_outcome_is_retried() {
    let nothing = "nothing is retried with `on_status = []` and `on_error = \"never\"`: remove one of them";
    refused(quote!(on_status = [], on_error = "never"), nothing);
    accepted(quote!(on_status = [], on_error = "never", on_ok = is_stale));
    accepted(quote!(on_error = "never"));
    accepted(quote!(on_status = [], on_error = "any"));
}

#[test]
fn statuses_are_listed_once() {
    refused(quote!(on_status = [503, 429, 503]), "`on_status` already lists 503: remove this one");
    refused(quote!(on_status = ["5xx", 503]), "`on_status` already lists 503: remove this one");
    refused(quote!(on_status = ["5xx", 500..510]), "`on_status` already lists 500 to 509: remove this one");
    refused(quote!(on_status = [a::BUSY, a::BUSY]), "`on_status` already lists `a::BUSY`: remove this one");
    let contains = "this range contains 503, which is listed before it: remove the earlier one";
    refused(quote!(on_status = [503, "5xx"]), contains);
    let overlap = "`on_status` already lists 420 to 429: write ranges that do not overlap";
    refused(quote!(on_status = [408..=429, 420..=430]), overlap);
    assert_eq!(messages_of(quote!(on_status = [503, 503, 503])).len(), 2);
    accepted(quote!(on_status = [408, 429, 500..=502, 503..=599, BUSY, A..=B, A..=B]));
}

#[test]
fn bodies_are_read_only_where_possible() {
    accepted(quote!(drain_limit = 1000, drain_timeout = "200ms"));
    accepted(quote!(attempts = 1, budget = API));
    accepted(quote!(drain_limit = 0));
    accepted(quote!(drain_limit = LIMIT, drain_timeout = TIMEOUT));
    refused(
        quote!(drain_timeout = "0s"),
        "`drain_timeout` must be longer than zero: set `drain_limit` to 0 to read no bodies",
    );
    let both = "`drain_timeout` has no effect with `drain_limit = 0`: remove one of them";
    refused(quote!(drain_limit = 0, drain_timeout = "1s"), both);
    refused(quote!(drain_timeout = "0s", drain_limit = 0), both);
    for key in ["drain_limit = 0", "drain_timeout = \"0s\""] {
        let name = key.split(' ').next().unwrap();
        let only = |attribute: &str, message: &str| refused(format!("{attribute}, {key}").parse().unwrap(), message);
        only("policy = P", &format!("`policy` already defines `{name}`: remove one of them"));
        only("attempts = 1", &format!("`{name}` has no effect: `attempts = 1` never retries"));
        let attribute = format!("blocking, {key}").parse().unwrap();
        let message = format!("`{name}` has no effect with `blocking`, which reads no bodies: remove it");
        assert_eq!(
            messages_about(
                attribute,
                quote!(
                    fn f() -> R {}
                )
            ),
            [message]
        );
    }
}

#[test]
fn budgets_work_beside_a_policy() {
    for budget in [quote!(crate::API), quote!(self.budget), quote!(client)] {
        accepted(quote!(policy = P, budget = #budget));
        accepted(quote!(budget = #budget, policy = P));
    }
}

#[test]
fn breakers_work_beside_everything() {
    accepted(quote!(breaker = API));
    accepted(quote!(breaker = API, policy = P));
    accepted(quote!(breaker = API, attempts = 1));
    accepted(quote!(breaker = API, hedge = "50ms", nested = "once"));
}

#[test]
fn hedges_are_shorter_than_the_limits() {
    accepted(quote!(hedge = "50ms", hedge_max = 3, policy = P));
    accepted(quote!(hedge = "50ms", attempts = 1));
    accepted(quote!(hedge = LATE, hedge_max = MOST, attempt_timeout = "1ms"));
    accepted(quote!(hedge = "50ms", sleep = sleep, attempt_timeout = "51ms"));
    refused(quote!(hedge_max = 3), "`hedge_max` has no effect without `hedge`: write for example `hedge = \"50ms\"`");
    refused(quote!(hedge = "0s"), "`hedge` must be longer than zero: a zero delay makes every attempt twice");
    let late = |limit: &str, most: &str| {
        format!("`hedge` (1 s) has no effect under the `{limit}` of {most}: write a shorter `hedge`")
    };
    refused(quote!(hedge = "1s", attempt_timeout = "1s"), &late("attempt_timeout", "1 s"));
    refused(quote!(deadline = "500ms", hedge = "1s"), &late("deadline", "500 ms"));
    refused(quote!(hedge = "1s", deadline = "900ms", attempt_timeout = "800ms"), &late("deadline", "900 ms"));
    let blocking = messages_about(
        quote!(blocking, hedge = "1s"),
        quote!(
            fn f() -> R {}
        ),
    );
    assert_eq!(blocking, ["a blocking function cannot run two copies of an attempt at the same time: remove `hedge`"]);
}

#[test]
fn server_delays_are_not_ignored() {
    accepted(quote!(server_delay = reset));
    accepted(quote!(server_delay = reset, retry_after = "5s"));
    accepted(quote!(server_delay = reset, policy = P));
    let ignored = "`server_delay` has no effect with `retry_after = \"ignore\"`: remove one of them";
    refused(quote!(server_delay = reset, retry_after = "ignore"), ignored);
    refused(quote!(retry_after = "ignore", server_delay = reset), ignored);
    let ignored = "`beyond_retry_after` has no effect with `retry_after = \"ignore\"`: remove one of them";
    refused(quote!(retry_after = "ignore", beyond_retry_after = "wait"), ignored);
    let ignored = "`within_retry_after` has no effect with `retry_after = \"ignore\"`: remove one of them";
    refused(quote!(within_retry_after = "replace", retry_after = "ignore"), ignored);
    accepted(quote!(within_retry_after = "replace", beyond_retry_after = "wait"));
    refused(
        quote!(policy = P, beyond_retry_after = "wait"),
        "`policy` already defines `beyond_retry_after`: remove one of them",
    );
    refused(quote!(attempts = 1, server_delay = reset), "`server_delay` has no effect: `attempts = 1` never retries");
}

#[test]
fn names_are_arguments_of_the_function() {
    refused(quote!(name = " "), "the name is empty: remove `name` to use the name of the function");
    accepted(quote!(name = NAME));
    refused(quote!(bind = url), "`url` is also an argument of this function: choose another name");
    refused(quote!(clone = [ur]), "this function has no argument `ur`: did you mean `url`?");
    refused(quote!(clone = [x]), "this function has no argument `x`: expected `client`, `url` or `id`");
    refused(quote!(clone = [url, id, url]), "`url` is given twice: keep one of them");
    refused(quote!(clone = []), "`clone` is empty: name an argument of this function");
    let own = "`self` cannot be replaced by a clone: write `self.clone()` in the body";
    assert_eq!(
        messages_about(
            quote!(clone = [self]),
            quote!(
                async fn f(self) -> R {}
            )
        ),
        [own]
    );
    let none = "this function has no argument to clone: remove `clone`";
    assert_eq!(
        messages_about(
            quote!(clone = [a]),
            quote!(
                async fn f() -> R {}
            )
        ),
        [none]
    );
}

#[test]
fn constants_are_not_arguments_of_the_function() {
    let at_run_time = "use `policy` for a value that is known only at run time";
    for key in ["attempts", "backoff", "start", "max_delay", "delays", "retry_after", "deadline", "drain_limit"] {
        let argument = Ident::new(key, Span::call_site());
        let message = format!("`{key}` takes a constant, and `id` is an argument of this function: {at_run_time}");
        refused(quote!(#argument = id), &message);
    }
    refused(
        quote!(hedge = url),
        "`hedge` takes a constant, and `url` is an argument of this function: write a literal or the path of a constant",
    );
    accepted(quote!(budget = client, breaker = client));
    accepted(quote!(attempts = ID, start = Self::id, on_error = id));
}

#[test]
fn every_constant_is_compared_with_the_parameters() {
    use Kind::*;
    for key in Key::ALL {
        let takes_constant = match key.row().kind {
            Attempts | Backoff | Duration | Number | Durations | RetryAfter | Bytes | Copies | Text | Function => true,
            Jitter | WithinRetryAfter | BeyondRetryAfter | Nested | Events | Flag => false,
            Statuses | OnError | OnOk | ServerDelay | SleepFunction | Shared | Until | ErrorDelay | OnRetry
            | Expression | Name | Names | CratePath => false,
        };
        let messages = messages_of(format!("{key} = url").parse().unwrap());
        let is_reported = messages.iter().any(|message| message.contains("takes a constant, and `url` is an argument"));
        assert_eq!(is_reported, takes_constant, "`{key}` in `constants` of `parameters.rs`: {messages:?}");
    }
}
