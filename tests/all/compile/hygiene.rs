//! Names of the user's that the expansion also uses.

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
    flaky.give(executor + outcome + delay + pause + known + failed + again + pin + observer + findings)
}

#[retry(start = "0s", clone = [outcome], bind = executor)]
async fn clones_and_binds(outcome: u32, flaky: &Flaky) -> R<u32> {
    let known = outcome + executor.number();
    flaky.give(known)
}

#[tokio::test]
async fn arguments_may_have_the_names_of_the_expansion() {
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
            compile_error!("of the user's")
        };
    }
    #[allow(unused_macros)]
    macro_rules! module_path {
        () => {
            compile_error!("of the user's")
        };
    }

    #[retry(start = "0s", on_status = [], on_error = "any")]
    pub(super) async fn load(flaky: &Flaky) -> Result {
        flaky.give(1)
    }
}

#[tokio::test]
async fn names_of_the_prelude_may_mean_something_else() {
    let flaky = Flaky::new();
    assert_third(&flaky, shadowed_prelude::load(&flaky).await, 1_u32);
}

#[retry(start = "0s")]
async fn labels(flaky: &Flaky) -> R<u32> {
    'retry: loop {
        break 'retry flaky.give(1);
    }
}

#[tokio::test]
async fn labels_are_the_users() {
    let flaky = Flaky::new();
    assert_third(&flaky, labels(&flaky).await, 1_u32);
}

/// Methods for all types, with names that an expansion might call.
mod greedy {
    #[expect(dead_code, reason = "what is tested is that nothing calls them")]
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
        fn answer(&self) {}
        fn error(&self) {}
        fn reason(&self) {}
        fn status(&self) {}
        fn put_away(&self) {}
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
        flaky.give(1)
    }

    #[retry(start = "0s")]
    pub(super) async fn of_unknown_types(flaky: &Flaky) -> Result<u32, Unnamed> {
        flaky.give(1).map_err(|_| Unnamed)
    }

    #[retry(start = "0s", on_error = |_| true, on_ok = |_| false, deadline = "1s")]
    pub(super) async fn with_predicates(flaky: &Flaky) -> R<u32> {
        flaky.give(1)
    }
}

#[tokio::test]
async fn methods_of_the_users_for_all_types_are_not_called() {
    let flaky = Flaky::new();
    assert_third(&flaky, among_greedy_methods::load(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, among_greedy_methods::of_unknown_types(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, among_greedy_methods::with_predicates(&flaky).await, 1_u32);
}
