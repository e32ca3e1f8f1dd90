//! Names of the user's that the expansion also uses.

use retry_runtime::retry;

use super::{Flaky, R, assert_third};

// https://github.com/jaemk/cached/issues/114
#[retry(start = "0s", deadline = "1s", on_ok = |value| *value == 0, on_error = |error| !error.is_empty())]
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
    flaky: &Flaky,
) -> R<u32> {
    flaky.give(executor + outcome + delay + pause + known + failed + again + pin + observer)
}

#[retry(start = "0s", clone = [outcome], bind = executor)]
async fn clones_and_binds(outcome: u32, flaky: &Flaky) -> R<u32> {
    let known = outcome + executor.number();
    flaky.give(known)
}

#[tokio::test]
async fn arguments_may_have_the_names_of_the_expansion() {
    let flaky = Flaky::new();
    assert_third(&flaky, arguments(1, 1, 1, 1, 1, 1, 1, 1, 1, &flaky).await, 9_u32);
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
