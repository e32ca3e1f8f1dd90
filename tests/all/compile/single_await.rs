//! Bodies that are one `EXPRESSION.await`, which the attribute runs without an `async` block of their own.

use std::future::{self, IntoFuture, Ready};
use std::panic::{AssertUnwindSafe, catch_unwind};

use retry_runtime::retry;
use tokio::task::yield_now;

use super::{Flaky, R, assert_third};
use crate::support::trace::record;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// Emits an event when it is called, before there is a future.
fn send(flaky: &Flaky) -> impl Future<Output = R<u32>> {
    tracing::info!(target: "expression", "evaluated");
    async { flaky.attempt(1) }
}

async fn length(text: &str, flaky: &Flaky) -> R<usize> {
    yield_now().await;
    flaky.attempt(text.len())
}

async fn generic<const N: usize, T>(values: [T; N], flaky: &Flaky) -> R<usize> {
    flaky.attempt(values.len())
}

struct Request<'f>(&'f Flaky);

impl IntoFuture for Request<'_> {
    type Output = R<u32>;
    type IntoFuture = Ready<R<u32>>;

    fn into_future(self) -> Ready<R<u32>> {
        future::ready(self.0.attempt(1))
    }
}

#[retry(start = "0s")]
async fn plain_call(flaky: &Flaky) -> R<u32> {
    send(flaky).await
}

#[retry(start = "0s")]
async fn temporary(flaky: &Flaky) -> R<usize> {
    length(&String::from("text"), flaky).await
}

#[retry(start = "0s")]
async fn type_arguments(flaky: &Flaky) -> R<usize> {
    generic::<2, Vec<u8>>([Vec::new(), Vec::new()], flaky).await
}

#[retry(start = "0s")]
async fn not_yet_a_future(flaky: &Flaky) -> R<u32> {
    Request(flaky).await
}

#[retry(start = "0s")]
async fn boxed(flaky: &Flaky) -> R<u32> {
    Box::pin(once(flaky)).await
}

async fn once(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[retry(start = "0s")]
async fn borrowed_argument(text: String, flaky: &Flaky) -> R<usize> {
    length(&text, flaky).await
}

#[retry(start = "0s", clone = [text])]
async fn cloned_argument(text: String, flaky: &Flaky) -> R<usize> {
    owned_length(text, flaky).await
}

async fn owned_length(text: String, flaky: &Flaky) -> R<usize> {
    length(&text, flaky).await
}

#[test]
fn each_form_is_retried() {
    let flaky = Flaky::new;
    let f = flaky();
    assert_third(&f, run(plain_call(&f)), 1);
    let f = flaky();
    assert_third(&f, run(temporary(&f)), 4);
    let f = flaky();
    assert_third(&f, run(type_arguments(&f)), 2);
    let f = flaky();
    assert_third(&f, run(not_yet_a_future(&f)), 1);
    let f = flaky();
    assert_third(&f, run(boxed(&f)), 1);
    let f = flaky();
    assert_third(&f, run(borrowed_argument("text".to_owned(), &f)), 4);
    let f = flaky();
    assert_third(&f, run(cloned_argument("text".to_owned(), &f)), 4);
}

#[test]
fn expression_is_evaluated_in_the_span_of_its_attempt() {
    let (seen, _guard) = record();
    let flaky = Flaky::new();
    assert_third(&flaky, run(plain_call(&flaky)), 1);
    let order: Vec<_> = seen
        .events()
        .into_iter()
        .filter(|event| event.message == "evaluated" || event.message.ends_with("starts"))
        .map(|event| (event.message, event.span.map(|span| span.name)))
        .collect();
    let evaluated = ("evaluated".to_owned(), Some("attempt".to_owned()));
    assert_eq!(order.len(), 6);
    assert!(order.chunks(2).all(|pair| pair[0].0.ends_with("starts") && pair[1] == evaluated), "{order:?}");
}

#[retry(start = "0s")]
async fn panics(name: &str) -> R<u32> {
    fails_to_start(name).await
}

fn fails_to_start(name: &str) -> Ready<R<u32>> {
    assert_ne!(name, "broken", "the request cannot be built");
    future::ready(Ok(1))
}

#[test]
fn panic_in_the_expression_leaves_the_span() {
    let (seen, _guard) = record();
    let unwound = catch_unwind(AssertUnwindSafe(|| run(panics("broken"))));
    unwound.expect_err("the expression panics");
    tracing::info!(target: "after", "after");
    assert!(seen.events().last().expect("the event was recorded").span.is_none());
    assert_eq!(run(panics("whole")), Ok(1));
}
