use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use super::*;
use crate::args::parse::tests::read;
use crate::errors::Errors;

#[test]
fn sections_describe_the_arguments() {
    for (tokens, text) in [
        (
            quote!(),
            "Makes at most 3 attempts. Waits a random time of up to 100 ms, then 200 ms. \
             Retries on transient statuses, and on errors that are not permanent.",
        ),
        (
            quote!(attempts = 3, backoff = "exponential", start = "1s", on_status = [503]),
            "Makes at most 3 attempts. Waits 1 s, then 2 s. Retries on status 503, and on transient errors.",
        ),
        (
            quote!(attempts = 9, start = "1s", jitter = "20%", on_status = [429, "5xx"], on_error = "never"),
            "Makes at most 9 attempts. Waits 1 s, then 2 s, then 4 s, then 8 s, then 16 s, …, randomly up to 20 % shorter or longer. Retries on status 429 or 500 to 599.",
        ),
        (
            quote!(attempts = Self::MAX, backoff = "fixed", jitter = "equal", on_status = [], on_error = is_busy),
            "Makes at most `Self::MAX` attempts. Waits 100 ms each time, or randomly down to half of that. Retries on errors that `is_busy` accepts.",
        ),
        (
            quote!(attempts = "unlimited", start = START, max_delay = "1m", on_error = |e| e.busy(), on_ok = is_stale),
            "Makes attempts without a limit. Waits `START` at first, and 2 times as long each time, at most 1 min. \
             Retries on responses with a transient status, and on errors that a closure accepts, and on values that `is_stale` accepts.",
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
             Stops an attempt after 5 s. Gives up 1 min after the start of the first attempt. \
             Retries on responses with a transient status, and on every error.",
        ),
        (
            quote!(backoff = "random", max_delay = "1s", retry_after = "ignore", on_status = [A..=B, C]),
            "Makes at most 3 attempts. Waits a random time between 100 ms and 1 s. Ignores the delay that a server asks \
             for. Retries on status `A` to `B` or `C`, and on transient errors.",
        ),
        (
            quote!(delays = DELAYS, on_status = [503], on_error = "transient"),
            "Makes at most one attempt more than `DELAYS` has delays. Waits for the delays in `DELAYS`. \
             Retries on status 503, and on transient errors.",
        ),
        (
            quote!(start = "1s", server_delay = reset, on_status = [429]),
            "Makes at most 3 attempts. Waits 1 s, then 2 s. Waits longer if `reset` returns a delay that the server asks for. Retries on status 429, and on transient errors.",
        ),
        (
            quote!(
                backoff = "decorrelated",
                factor = 2,
                max_delay = "9s",
                beyond_retry_after = "wait",
                on_status = [429]
            ),
            "Makes at most 3 attempts. Waits a random time between 100 ms and 2 times the previous delay, at most 9 s. \
             Waits longer if a server asks for it, at most 1 min. Cuts a longer delay to that. \
             Retries on status 429, and on transient errors.",
        ),
        (
            quote!(
                start = "1s",
                jitter = "+500ms",
                within_retry_after = "replace",
                beyond_retry_after = "ignore",
                on_status = [429]
            ),
            "Makes at most 3 attempts. Waits 1 s, then 2 s, randomly up to 500 ms longer. \
             Waits as long as a server asks for, at most 1 min. Ignores a longer delay. \
             Retries on status 429, and on transient errors.",
        ),
        (
            quote!(policy = POLICY, server_delay = |page| page.wait, on_status = [429]),
            "Retries with the policy of `POLICY`. Waits longer if a closure returns a delay that the server asks for. \
             Retries on status 429, and on transient errors.",
        ),
        (
            quote!(start = "1s", budget = crate::API, nested = "once", on_status = [503]),
            "Makes at most 3 attempts. Waits 1 s, then 2 s. Retries while `crate::API` has tokens. \
             Does not retry a failure that a call inside has already retried. Retries on status 503, and on transient errors.",
        ),
        (
            quote!(start = "1s", breaker = Self::BREAKER, hedge = "50ms", on_status = [503]),
            "Makes at most 3 attempts. Waits 1 s, then 2 s. Starts a second copy of an attempt that has no outcome after 50 ms. Makes no attempt while `Self::BREAKER` is open. Retries on status 503, and on transient errors.",
        ),
        (
            quote!(policy = POLICY, hedge = LATE, hedge_max = 3, breaker = B, on_status = [503]),
            "Retries with the policy of `POLICY`. Starts another copy of an attempt every `LATE` until there is an outcome, at most 3 copies. Makes no attempt while `B` is open. Retries on status 503, and on transient errors.",
        ),
        (
            quote!(attempts = 1, breaker = B, hedge = "1s", hedge_max = MOST),
            "Makes 1 attempt. Starts another copy of an attempt every 1 s until there is an outcome, at most `MOST` copies. Makes no attempt while `B` is open. Retries nothing.",
        ),
        (quote!(attempts = 1, budget = API), "Makes 1 attempt. Retries nothing."),
        (quote!(attempts = 1, on_status = [503], on_error = "never"), "Makes 1 attempt. Retries nothing."),
        (
            quote!(policy = POLICY, on_status = [], on_error = "never"),
            "Retries with the policy of `POLICY`. Retries nothing.",
        ),
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
fn a_path_from_macro_rules_is_shown() {
    let path: Expr = parse_quote!(a::b);
    assert_eq!(expression(&path, "a closure"), "`a::b`");
}
