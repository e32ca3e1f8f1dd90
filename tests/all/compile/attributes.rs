//! Spellings of the attribute, and other attributes beside it.

use retry_runtime::retry;
use tracing::instrument;

use super::{Flaky, R, assert_third};

static FLAKY_DEFAULTS: [Flaky; 3] = [const { Flaky::new() }; 3];

#[retry]
async fn bare() -> R<u32> {
    FLAKY_DEFAULTS[0].attempt(1)
}

#[retry()]
async fn empty() -> R<u32> {
    FLAKY_DEFAULTS[1].attempt(1)
}

#[::retry_runtime::retry(start = "0s", attempts = 3)]
async fn trailing_comma() -> R<u32> {
    FLAKY_DEFAULTS[2].attempt(1)
}

#[tokio::test(start_paused = true)]
async fn arguments_are_optional() {
    assert_third(&FLAKY_DEFAULTS[0], bare().await, 1_u32);
    assert_third(&FLAKY_DEFAULTS[1], empty().await, 1_u32);
    assert_third(&FLAKY_DEFAULTS[2], trailing_comma().await, 1_u32);
}

#[cfg_attr(all(), retry(start = "0s"))]
async fn under_cfg_attr(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[cfg_attr(any(), retry(start = "0s"))]
async fn not_under_cfg_attr(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

mod renamed {
    pub(super) use retry_runtime::retry as resilient;
}

#[renamed::resilient(start = "0s")]
async fn under_another_name(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[tokio::test]
async fn attribute_works_under_cfg_attr_and_another_name() {
    let flaky = Flaky::new();
    assert_third(&flaky, under_cfg_attr(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert!(not_under_cfg_attr(&flaky).await.is_err());
    assert_eq!(flaky.attempts(), 1);
    let flaky = Flaky::new();
    assert_third(&flaky, under_another_name(&flaky).await, 1_u32);
}

/// The first paragraph
///
/// and the second one.
#[must_use = "futures do nothing unless polled"]
#[inline]
#[retry(start = "0s")]
#[doc = "A third one."]
#[allow(unused_variables, clippy::no_effect_underscore_binding)]
pub(in crate::compile) async fn documented(flaky: &Flaky, unused: u32) -> R<u32> {
    flaky.attempt(1)
}

#[retry(start = "0s")]
#[expect(unused_variables, unused_mut, reason = "the expectation is still fulfilled")]
async fn expected(flaky: &Flaky, unused: u32) -> R<u32> {
    let mut n = 1;
    flaky.attempt(n)
}

#[retry(start = "0s")]
#[deprecated]
async fn deprecated(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

// https://github.com/tokio-rs/tracing/issues/2294
#[retry(start = "0s")]
async fn inner_attributes(flaky: &Flaky) -> R<u32> {
    #![allow(dead_code, unused_variables)]
    #![allow(unused_mut)]
    fn never_called() {}
    let mut unused = 1;
    flaky.attempt(1)
}

#[retry(start = "0s")]
async fn attributes_on_statements(flaky: &Flaky) -> R<u32> {
    #[cfg(any())]
    return Err("another platform".to_owned());
    #[allow(unused_variables)]
    let unused = 1;
    #[rustfmt::skip]
    let n = if flaky.fails() { Err("not yet")? } else { 1 };
    Ok(n)
}

#[tokio::test]
async fn other_attributes_keep_their_effect() {
    let flaky = Flaky::new();
    assert_third(&flaky, documented(&flaky, 1).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, expected(&flaky, 1).await, 1_u32);
    let flaky = Flaky::new();
    #[allow(deprecated)]
    let outcome = deprecated(&flaky).await;
    assert_third(&flaky, outcome, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, inner_attributes(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, attributes_on_statements(&flaky).await, 1_u32);
}

// https://github.com/tokio-rs/tracing/issues/2576
#[retry(start = "0s")]
async unsafe fn dangerous(flaky: *const Flaky) -> R<u32> {
    // SAFETY: the caller guarantees that the pointer is valid.
    unsafe { &*flaky }.attempt(1)
}

#[allow(improper_ctypes_definitions)]
#[retry(start = "0s")]
async extern "C" fn foreign_abi(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[tokio::test]
async fn unsafe_and_extern_functions_are_accepted() {
    let flaky = Flaky::new();
    // SAFETY: the pointer comes from a reference.
    assert_third(&flaky, unsafe { dangerous(&raw const flaky) }.await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, foreign_abi(&flaky).await, 1_u32);
}

#[retry(start = "0s")]
#[instrument(skip(flaky), err, ret)]
async fn above_instrument(flaky: &Flaky, n: u32) -> R<u32> {
    flaky.attempt(n)
}

// `instrument` moves owned arguments into an `async` block, so they have to be `Copy` here.
#[instrument(skip_all, fields(n))]
#[retry(start = "0s")]
async fn below_instrument(flaky: &Flaky, n: u32) -> R<u32> {
    flaky.attempt(n)
}

#[tokio::test]
async fn attribute_works_above_and_below_instrument() {
    let flaky = Flaky::new();
    assert_third(&flaky, above_instrument(&flaky, 1).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, below_instrument(&flaky, 1).await, 1_u32);
}

#[retry(start = "0s")]
#[tokio::test]
async fn attribute_works_above_tokio_test() -> R<()> {
    // Without the attribute, the test would fail with the error of the first attempt.
    static FLAKY: Flaky = Flaky::new();
    let outcome = FLAKY.attempt(());
    assert!(FLAKY.attempts() <= 3);
    outcome
}

#[retry(start = "0s")]
#[tokio::main(flavor = "current_thread")]
async fn above_tokio_main(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[test]
fn function_retries_above_tokio_main() {
    let flaky = Flaky::new();
    assert_third(&flaky, above_tokio_main(&flaky), 1_u32);
}
