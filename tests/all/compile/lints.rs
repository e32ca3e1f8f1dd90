//! Denied lints do not fire on the code that `#[retry]` generates. `cargo clippy --all-targets` checks Clippy's lints. The
//! lints that must still fire on the user's own code are in `ui-tests/fail/lints`.

#![deny(
    warnings,
    unused,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore_drop,
    missing_docs,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::absolute_paths,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::blocks_in_conditions,
    clippy::default_numeric_fallback,
    clippy::else_if_without_else,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::if_then_some_else_none,
    clippy::indexing_slicing,
    clippy::infinite_loop,
    clippy::items_after_statements,
    clippy::let_underscore_untyped,
    clippy::let_unit_value,
    clippy::map_err_ignore,
    clippy::needless_return,
    clippy::panic,
    clippy::redundant_type_annotations,
    clippy::ref_patterns,
    clippy::semicolon_if_nothing_returned,
    clippy::semicolon_inside_block,
    clippy::semicolon_outside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::string_add,
    clippy::type_complexity,
    clippy::unit_arg,
    clippy::unreachable,
    clippy::unseparated_literal_suffix,
    clippy::unused_result_ok,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

use core::future::{Ready, ready};
use core::time::Duration;
use std::io;

use async_trait::async_trait;
use retry_runtime::{Budget, Event, Observer, Policy, retry};

use super::{Flaky, R, assert_third};

#[retry(start = "0s")]
async fn tail(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[retry(start = "0s")]
async fn nothing(flaky: &Flaky) -> R<()> {
    if flaky.attempts() > 5 {
        return Ok(());
    }
    flaky.attempt(())
}

#[retry(start = "0s")]
async fn unit_tail(flaky: &Flaky) -> R<()> {
    flaky.attempt(())?;
    Ok(())
}

#[retry(start = "0s")]
async fn early_return(flaky: &Flaky) -> R<u32> {
    if flaky.fails() {
        return Err(String::new());
    }
    Ok(1)
}

#[retry(start = "0s")]
async fn return_from_a_loop(flaky: &Flaky) -> R<u32> {
    for turn in 0_u32.. {
        if turn > 1 {
            return flaky.attempt(turn);
        }
    }
    Err(String::new())
}

#[retry(start = "0s")]
async fn nested_blocks(flaky: &Flaky) -> R<u32> {
    let closure = |n: u32| n.min(1);
    let block = async { flaky.attempt(closure(2)) };
    block.await
}

type Complex<'a> = (&'a str, Option<Box<dyn Fn(&'a str) -> Option<&'a str> + Send>>);

#[retry(start = "0s")]
async fn complex<'a>(text: &'a str, flaky: &Flaky) -> R<Complex<'a>> {
    flaky.attempt((text, None))
}

#[retry(start = "0s")]
async fn generic<T: Clone + Send + Sync, const N: usize>(value: &T, flaky: &Flaky) -> R<[T; N]> {
    flaky.attempt([(); N].map(|()| value.clone()))
}

#[retry(start = "0s")]
async fn option(flaky: &Flaky) -> Option<u32> {
    flaky.attempt(1).ok()
}

#[retry(start = "0s", blocking)]
fn blocks(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[allow(clippy::manual_async_fn, reason = "the case is a function that returns its future")]
#[retry(start = "0s")]
fn returned(flaky: &Flaky) -> impl Future<Output = R<u32>> + Send {
    async move { flaky.attempt(1) }
}

struct Silent;

impl Observer for Silent {
    fn on_event(&self, _: &Event<'_>) {}
}

fn no_sleep(_: Duration) -> Ready<()> {
    ready(())
}

static BUDGET: Budget = Budget::new();

#[retry(
    start = "1s",
    jitter = "full",
    attempts = 3,
    on_status = [],
    on_error = String::is_empty,
    on_ok = |value| *value == 0,
    retry_after = "1s",
    server_delay = |value| value.checked_sub(9).map(|_| Duration::ZERO),
    drain_limit = 1_000,
    drain_timeout = "1s",
    deadline = "1m",
    attempt_timeout = "1s",
    budget = BUDGET,
    nested = "once",
    bind = attempt,
    clone = [n],
    name = "every argument",
    observer = Silent,
    sleep = no_sleep,
    crate = ::retry_runtime
)]
async fn every_argument(n: u32, flaky: &Flaky) -> R<u32> {
    flaky.attempt(n.min(attempt.number())).map_err(|mut error: String| {
        error.clear();
        error
    })
}

#[retry(policy = policy, on_status = [503], on_error = "any")]
async fn with_a_policy(policy: &Policy, flaky: &Flaky) -> io::Result<u32> {
    flaky.attempt(1).map_err(io::Error::other)
}

/// A trait with all kinds of methods.
trait Load {
    async fn load(&mut self, id: &str) -> R<usize>;

    #[retry(start = "0s")]
    async fn by_default(&mut self, flaky: &Flaky) -> R<usize> {
        let length = self.load("id").await?;
        flaky.attempt(length)
    }
}

#[async_trait]
trait Store {
    async fn store(&mut self, text: String) -> R<usize>;

    async fn nothing(&self) -> R<()>;
}

#[derive(Default)]
struct Disk {
    flaky: Flaky,
    last: String,
}

impl Load for Disk {
    #[retry(start = "0s")]
    async fn load(&mut self, id: &str) -> R<usize> {
        id.clone_into(&mut self.last);
        self.flaky.attempt(self.last.len())
    }
}

#[async_trait]
impl Store for Disk {
    #[retry(start = "0s")]
    async fn store(&mut self, text: String) -> R<usize> {
        self.last.push_str(&text);
        self.flaky.attempt(self.last.len())
    }

    #[retry(start = "0s")]
    async fn nothing(&self) -> R<()> {
        self.flaky.attempt(())
    }
}

/// `implicit_return` and `needless_return` contradict each other.
#[deny(clippy::implicit_return)]
#[allow(clippy::needless_return, reason = "`implicit_return` demands it")]
mod explicit_returns {
    use super::{Flaky, R, retry};

    #[retry(start = "0s", on_ok = |n| return *n == 0)]
    pub(super) async fn value(flaky: &Flaky) -> R<u32> {
        let n = flaky.attempt(1)?;
        return Ok(n);
    }

    #[retry(start = "0s", blocking)]
    pub(super) fn blocks(flaky: &Flaky) -> R<()> {
        return flaky.attempt(());
    }
}

#[tokio::test]
#[allow(clippy::shadow_unrelated, reason = "the test shadows, not the annotated code")]
async fn denied_lints_do_not_fire_on_functions() {
    let flaky = Flaky::new();
    assert_third(&flaky, tail(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, nothing(&flaky).await, ());
    let flaky = Flaky::new();
    assert_third(&flaky, unit_tail(&flaky).await, ());
    let flaky = Flaky::new();
    assert_third(&flaky, early_return(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, return_from_a_loop(&flaky).await, 2_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, nested_blocks(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, complex("a", &flaky).await.map(|(text, _)| text), "a");
    let flaky = Flaky::new();
    assert_third(&flaky, generic::<_, 2>(&'a', &flaky).await, ['a', 'a']);
    let flaky = Flaky::new();
    assert_third(&flaky, option(&flaky).await.ok_or(()), 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, blocks(&flaky), 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, returned(&flaky).await, 1_u32);
}

#[tokio::test]
#[allow(clippy::shadow_unrelated, reason = "the test shadows, not the annotated code")]
async fn denied_lints_do_not_fire_on_arguments() {
    let flaky = Flaky::new();
    assert_third(&flaky, every_argument(7, &flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, with_a_policy(&Policy::fixed(Duration::ZERO), &flaky).await, 1_u32);
}

#[tokio::test]
#[allow(clippy::shadow_unrelated, reason = "the test shadows, not the annotated code")]
async fn denied_lints_do_not_fire_on_methods() {
    let (flaky, mut disk) = (Flaky::new(), Disk::default());
    assert_third(&flaky, disk.by_default(&flaky).await, 2_usize);
    let mut disk = Disk::default();
    let outcome = disk.store("a".to_owned()).await;
    assert_third(&disk.flaky, outcome, 3_usize);
    let disk = Disk::default();
    assert_third(&disk.flaky, disk.nothing().await, ());
}

#[tokio::test]
#[allow(clippy::shadow_unrelated, reason = "the test shadows, not the annotated code")]
async fn denied_lints_do_not_fire_beside_explicit_returns() {
    let flaky = Flaky::new();
    assert_third(&flaky, explicit_returns::value(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, explicit_returns::blocks(&flaky), ());
}
