//! Hygiene: user code that has the same names as the expansion.

use std::time::Duration;

use retry_runtime::retry;

use super::{Flaky, R, assert_third};

// https://github.com/jaemk/cached/issues/114
#[retry(
    start = "0s",
    deadline = "1s",
    on_ok = |value| *value == 0,
    on_error = |error| !error.is_empty(),
    server_delay = |_| findings.checked_sub(2).map(|_| Duration::ZERO)
)]
#[allow(clippy::too_many_arguments)]
async fn arguments(
    executor: u32,
    outcome: u32,
    delay: u32,
    pause: u32,
    known: u32,
    failed: u32,
    again: u32,
    pin: u32,
    observer: u32,
    findings: u32,
    flaky: &Flaky,
) -> R<u32> {
    flaky.attempt(executor + outcome + delay + pause + known + failed + again + pin + observer + findings)
}

#[retry(start = "0s", clone = [outcome], bind = executor)]
async fn clones_and_binds(outcome: u32, flaky: &Flaky) -> R<u32> {
    let known = outcome + executor.number();
    flaky.attempt(known)
}

#[tokio::test]
async fn arguments_do_not_collide_with_the_expansion() {
    let flaky = Flaky::new();
    assert_third(&flaky, arguments(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, &flaky).await, 10_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, clones_and_binds(1, &flaky).await, 4_u32);
}

mod shadowed_prelude {
    use super::super::Flaky;
    use super::retry;

    #[allow(dead_code)]
    pub(super) enum Option {
        None,
        Some,
    }
    #[allow(unused_imports)]
    use Option::{None, Some};

    pub(super) type Result = ::core::result::Result<u32, String>;

    #[allow(dead_code)]
    mod core {}
    #[allow(dead_code)]
    mod std {}
    #[allow(dead_code)]
    mod retry_runtime {}

    #[allow(unused_macros)]
    macro_rules! concat {
        ($($any:tt)*) => {
            compile_error!("the user's macro was called")
        };
    }
    #[allow(unused_macros)]
    macro_rules! module_path {
        () => {
            compile_error!("the user's macro was called")
        };
    }

    #[retry(start = "0s", on_status = [], on_error = "any")]
    pub(super) async fn load(flaky: &Flaky) -> Result {
        flaky.attempt(1)
    }
}

#[tokio::test]
async fn prelude_names_may_be_shadowed() {
    let flaky = Flaky::new();
    assert_third(&flaky, shadowed_prelude::load(&flaky).await, 1_u32);
}

#[retry(start = "0s")]
async fn labels(flaky: &Flaky) -> R<u32> {
    'retry: loop {
        break 'retry flaky.attempt(1);
    }
}

#[tokio::test]
async fn labels_do_not_collide_with_the_expansion() {
    let flaky = Flaky::new();
    assert_third(&flaky, labels(&flaky).await, 1_u32);
}

/// Items with the names that the expansion once gave to its bindings, as diesel's `dsl::*` imports them. In a pattern, such a
/// name refers to the item, despite macro hygiene, and the value is compared with it.
mod among_items {
    use std::time::Duration;

    use retry_runtime::{Breaker, Class, Retryable, Verdict, verdict};

    use super::{Flaky, R, retry};

    #[derive(Clone, Copy)]
    pub(super) struct Unit;

    macro_rules! items {
        ($($structs:ident)*; $($constants:ident)*; $($statics:ident)*) => {
            $(#[allow(dead_code, non_camel_case_types)] struct $structs;)*
            $(#[allow(dead_code, non_upper_case_globals)] const $constants: Unit = Unit;)*
            $(#[allow(dead_code, non_upper_case_globals)] static $statics: Unit = Unit;)*
        };
    }
    items!(outcome policy executor pause pass; known failed again field code after; condition findings hedged done open pin observer);

    static BREAKER: Breaker = Breaker::new();

    #[retry(start = "0s", breaker = BREAKER, deadline = "9s", hedge = "1s", bind = attempt, clone = [text])]
    pub(super) async fn all(text: String, flaky: &Flaky) -> Result<String, Error> {
        if flaky.fails() { Err(Error::Busy(None)) } else { Ok(text + &attempt.number().to_string()) }
    }

    #[retry(policy = retry_runtime::Policy::fixed(Duration::ZERO), on_error = |_| true, on_ok = |_| false)]
    pub(super) async fn with_policy(flaky: &Flaky) -> R<u32> {
        flaky.attempt(1)
    }

    #[retry(blocking, start = "0s")]
    pub(super) fn blocking(flaky: &Flaky) -> R<u32> {
        flaky.attempt(1)
    }

    #[derive(Debug, Retryable)]
    pub(super) enum Error {
        #[retryable(transient, server_delay = 0)]
        Busy(Option<Duration>),
        #[retryable(status = code)]
        Refused { code: u16 },
        #[retryable(source)]
        Io(std::io::Error),
    }

    impl From<retry_runtime::TimedOut> for Error {
        fn from(error: retry_runtime::TimedOut) -> Self {
            Self::Io(error.into())
        }
    }

    impl From<retry_runtime::breaker::BreakerOpen> for Error {
        fn from(_: retry_runtime::breaker::BreakerOpen) -> Self {
            Self::Refused { code: 503 }
        }
    }

    #[test]
    fn derive_and_verdict_do_not_mistake_items_for_bindings() {
        assert_eq!(Error::Refused { code: 404 }.class(), Class::Permanent);
        let outcome_of: Result<u32, _> = Err(Error::Busy(None));
        assert!(matches!(verdict!(&outcome_of), Verdict::Retry(_)));
    }
}

#[tokio::test]
async fn attribute_does_not_mistake_items_for_bindings() {
    let flaky = Flaky::new();
    assert_third(&flaky, among_items::all("text".to_owned(), &flaky).await, "text3");
    let flaky = Flaky::new();
    assert_third(&flaky, among_items::with_policy(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, among_items::blocking(&flaky), 1_u32);
}

/// A trait that adds methods to all types, with names that an expansion might call.
mod greedy {
    #[expect(dead_code, reason = "the test is that the expansion does not call them")]
    pub(super) trait Greedy: Sized {
        fn current(&self) {}
        fn attempt_blocking(self) {}
        fn finish(self) {}
        fn failed(self) {}
        fn block(self) {}
        fn run(self) {}
        fn decide(&mut self) {}
        fn succeed(&mut self) {}
        fn after(self) {}
        fn value(&self) {}
        fn error(&self) {}
        fn reason(&self) {}
        fn status(&self) {}
        fn discard(&self) {}
        fn is_plain_success(&self) {}
        fn refused(&self) {}
        fn decided(&self) {}
        fn cut(&self) {}
        fn into_future(self) {}
    }

    impl<T> Greedy for T {}
}

mod among_greedy_methods {
    #[allow(unused_imports)]
    use super::greedy::Greedy;
    use super::{Flaky, R, retry};

    #[derive(Debug)]
    pub(super) struct Unnamed;

    #[retry(start = "0s")]
    pub(super) async fn load(flaky: &Flaky) -> R<u32> {
        flaky.attempt(1)
    }

    #[retry(start = "0s")]
    pub(super) async fn unclassified_error(flaky: &Flaky) -> Result<u32, Unnamed> {
        flaky.attempt(1).map_err(|_| Unnamed)
    }

    #[retry(start = "0s", on_error = |_| true, on_ok = |_| false, deadline = "1s")]
    pub(super) async fn with_predicates(flaky: &Flaky) -> R<u32> {
        flaky.attempt(1)
    }
}

#[tokio::test]
async fn expansion_does_not_call_methods_of_user_traits() {
    let flaky = Flaky::new();
    assert_third(&flaky, among_greedy_methods::load(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, among_greedy_methods::unclassified_error(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, among_greedy_methods::with_predicates(&flaky).await, 1_u32);
}
