//! Futures that are `Send`: each shape of loop can be spawned, even if the error is not `Send`.

use std::cell::Cell;
use std::fmt::{self, Display};
use std::future::{Ready, ready};
use std::ops::ControlFlow::{Break, Continue};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use retry_runtime::{Class, Condition, Event, Executor, Observer, Policy, Retryable, TimedOut, retry, verdict};
use tokio::task::yield_now;

use super::{Flaky, R, assert_third};

const POLICY: Policy = Policy::fixed(Duration::ZERO);

/// An error that is not `Send`.
#[derive(Debug)]
struct Local(Rc<str>);

impl Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TimedOut> for Local {
    fn from(_: TimedOut) -> Self {
        Self("late".into())
    }
}

impl Retryable for Local {
    fn class(&self) -> Class {
        Class::Transient
    }
}

async fn load(flaky: &Flaky) -> Result<u32, Local> {
    yield_now().await;
    flaky.attempt(1).map_err(|error| Local(error.into()))
}

/// Converts the error to text, which is `Send`.
fn shown<E: Display>(outcome: Result<u32, E>) -> R<u32> {
    outcome.map_err(|error| error.to_string())
}

/// Spawns the call, and checks that its third attempt succeeds.
macro_rules! assert_spawned {
    (|$flaky:ident| $call:expr) => {{
        let counter = Arc::new(Flaky::new());
        let $flaky = Arc::clone(&counter);
        let outcome = tokio::spawn(async move { shown($call.await) }).await.expect("nothing panics");
        assert_third(&counter, outcome, 1_u32);
    }};
}

async fn attempt_and_pause(flaky: &Flaky) -> R<u32> {
    let mut retry = Executor::new(&POLICY);
    loop {
        match retry.attempt(async { flaky.attempt(1) }).await {
            Ok(n) => break Ok(retry.succeed(n)),
            Err(error) if error.is_empty() => break Err(retry.fail(error)),
            Err(error) => retry.pause(error)?.await,
        }
    }
}

async fn attempt_to_end_and_pause(flaky: &Flaky) -> Result<u32, std::num::ParseIntError> {
    let mut retry = Executor::new(&POLICY);
    loop {
        let parsed = async { if flaky.fails() { "not yet" } else { "1" }.parse() };
        match retry.attempt_to_end(parsed).await {
            Ok(n) => break Ok(retry.succeed(n)),
            Err(error) => retry.pause(error)?.await,
        }
    }
}

async fn next_with_a_condition(flaky: &Flaky) -> std::io::Result<u32> {
    let mut retry = Executor::new(&POLICY);
    loop {
        let outcome = retry.attempt(async { flaky.attempt(1).map_err(std::io::Error::other) }).await;
        match retry.next(outcome, &Condition::new()) {
            Break(outcome) => break outcome,
            Continue(pause) => pause.await,
        }
    }
}

async fn next_with_a_verdict(flaky: &Flaky) -> R<u32> {
    let mut retry = Executor::new(&POLICY);
    loop {
        let outcome = retry.attempt(async { flaky.attempt(1) }).await;
        let verdict = verdict!(&outcome);
        match retry.next(outcome, verdict) {
            Break(outcome) => break outcome,
            Continue(pause) => pause.await,
        }
    }
}

#[tokio::test]
async fn manual_loops_are_send() {
    assert_spawned!(|flaky| attempt_and_pause(&flaky));
    assert_spawned!(|flaky| attempt_to_end_and_pause(&flaky));
    assert_spawned!(|flaky| next_with_a_condition(&flaky));
    assert_spawned!(|flaky| next_with_a_verdict(&flaky));
    assert_spawned!(|flaky| POLICY.run(|_| async { flaky.attempt(1).map_err(std::io::Error::other) }));
}

// In a hand-written loop, the outcome has to go out of scope before the pause, as it does in an annotated function.

async fn attempt_and_pause_local(flaky: &Flaky) -> Result<u32, Local> {
    let mut retry = Executor::new(&POLICY);
    loop {
        let pause = match retry.attempt(load(flaky)).await {
            Ok(n) => break Ok(retry.succeed(n)),
            Err(error) => retry.pause(error)?,
        };
        pause.await;
    }
}

async fn next_with_a_condition_local(flaky: &Flaky) -> Result<u32, Local> {
    let mut retry = Executor::new(&POLICY);
    loop {
        let outcome = retry.attempt_to_end(load(flaky)).await;
        let pause = match retry.next(outcome, &Condition::new()) {
            Break(outcome) => break outcome,
            Continue(pause) => pause,
        };
        pause.await;
    }
}

async fn next_with_a_verdict_local(flaky: &Flaky) -> Result<u32, Local> {
    let mut retry = Executor::new(&POLICY);
    loop {
        let pause = {
            let outcome = retry.attempt(load(flaky)).await;
            let verdict = verdict!(&outcome);
            match retry.next(outcome, verdict) {
                Break(outcome) => break outcome,
                Continue(pause) => pause,
            }
        };
        pause.await;
    }
}

#[tokio::test]
async fn manual_loops_are_send_with_an_error_that_is_not() {
    assert_spawned!(|flaky| attempt_and_pause_local(&flaky));
    assert_spawned!(|flaky| next_with_a_condition_local(&flaky));
    assert_spawned!(|flaky| next_with_a_verdict_local(&flaky));
    assert_spawned!(|flaky| POLICY.run(|_| load(&flaky)));
}

struct Silent;

impl Observer for Silent {
    fn on_event(&self, _: &Event<'_>) {}
}

fn no_sleep(_: Duration) -> Ready<()> {
    ready(())
}

// https://github.com/tikv/tikv/pull/13811
#[retry(start = "0s")]
async fn plain(flaky: &Flaky) -> Result<u32, Local> {
    load(flaky).await
}

#[retry(start = "0s")]
async fn unknown_error(flaky: &Flaky) -> Result<u32, Rc<str>> {
    Ok(load(flaky).await.map_err(|Local(text)| text)?)
}

#[retry(start = "0s", deadline = "1m", attempt_timeout = "1s")]
async fn limited(flaky: &Flaky) -> Result<u32, Local> {
    load(flaky).await
}

#[retry(start = "0s", on_error = |error| !error.0.is_empty(), on_ok = |n| *n == 0)]
async fn with_predicates(flaky: &Flaky) -> Result<u32, Local> {
    load(flaky).await
}

#[retry(policy = *policy, bind = attempt, observer = Silent)]
async fn at_run_time(policy: &Policy, flaky: &Flaky) -> Result<u32, Local> {
    load(flaky).await.map(|n| n * attempt.number() / 3)
}

#[retry(start = "1s", sleep = no_sleep, clone = [text])]
async fn with_a_sleep_and_clones(text: String, flaky: &Flaky) -> Result<u32, Local> {
    drop(text);
    load(flaky).await
}

#[retry(start = "0s")]
fn returned(flaky: &Flaky) -> impl Future<Output = Result<u32, Local>> + Send {
    async move { load(flaky).await }
}

#[retry(start = "0s")]
async fn option_of_rc(flaky: &Flaky) -> Option<Rc<u32>> {
    load(flaky).await.ok().map(Rc::new)
}

/// A value that classifies itself, and is not `Send`.
struct LocalValue(Option<Rc<u32>>);

impl Retryable for LocalValue {
    fn class(&self) -> Class {
        if self.0.is_some() { Class::Success } else { Class::Transient }
    }
}

#[retry(start = "0s")]
async fn value_of_rc(flaky: &Flaky) -> LocalValue {
    LocalValue(load(flaky).await.ok().map(Rc::new))
}

#[tokio::test]
async fn annotated_functions_are_send_with_an_error_that_is_not() {
    assert_spawned!(|flaky| plain(&flaky));
    assert_spawned!(|flaky| unknown_error(&flaky));
    assert_spawned!(|flaky| limited(&flaky));
    assert_spawned!(|flaky| with_predicates(&flaky));
    assert_spawned!(|flaky| at_run_time(&POLICY, &flaky));
    assert_spawned!(|flaky| with_a_sleep_and_clones(String::new(), &flaky));
    assert_spawned!(|flaky| returned(&flaky));
}

#[tokio::test]
async fn annotated_functions_are_send_with_a_value_that_is_not() {
    assert_spawned!(|flaky| async { option_of_rc(&flaky).await.map(|n| *n).ok_or("none") });
    assert_spawned!(|flaky| async { value_of_rc(&flaky).await.0.map(|n| *n).ok_or("none") });
}

/// Each function calls the next one. A longer chain, which needs a higher `recursion_limit`, is in `ui-tests/pass`.
macro_rules! chain {
    ($last:ident) => {
        #[retry(start = "0s")]
        async fn $last(text: &str, flaky: &Flaky) -> R<u32> {
            yield_now().await;
            flaky.attempt(text.len() as u32)
        }
    };
    ($first:ident $next:ident $($rest:ident)*) => {
        #[retry(start = "0s")]
        async fn $first(text: &str, flaky: &Flaky) -> R<u32> {
            $next(text, flaky).await
        }
        chain!($next $($rest)*);
    };
}

chain!(a b c d e f g h i j);

#[tokio::test]
async fn chain_of_annotated_functions_is_send() {
    assert_spawned!(|flaky| a("1", &flaky));
}

struct Rows(Vec<u32>);

impl Rows {
    // https://github.com/rust-lang/rust/issues/139475
    #[retry(start = "0s")]
    async fn change<F>(&mut self, mut change: F, flaky: &Flaky) -> Result<u32, Local>
    where
        F: FnMut(&mut u32) + Send,
    {
        self.0.iter_mut().for_each(&mut change);
        load(flaky).await?;
        Ok(self.0[0])
    }

    #[retry(start = "0s")]
    async fn each<F, Fut>(&mut self, load: F) -> R<u32>
    where
        F: Fn(u32) -> Fut + Send + Sync,
        Fut: Future<Output = R<u32>> + Send,
    {
        let mut sum = 0;
        for row in &mut self.0 {
            *row = load(*row).await?;
            sum += *row;
        }
        Ok(sum)
    }
}

#[tokio::test]
async fn method_with_exclusive_receiver_and_closure_is_send() {
    assert_spawned!(|flaky| async move { Rows(vec![0, 5]).change(|n| *n += 1, &flaky).await.map(|n| n / 3) });
    assert_spawned!(|flaky| async move {
        let flaky = &flaky;
        Rows(vec![1]).each(|n| async move { flaky.attempt(n) }).await
    });
}

/// `Send` and `Clone`, but not `Sync`, so a `Send` future cannot hold a reference to it across an await.
#[derive(Clone)]
struct Unshared(Cell<u32>);

#[retry(start = "0s", clone = [service])]
async fn clones_an_unshared_service(service: Unshared, flaky: &Flaky) -> R<u32> {
    yield_now().await;
    flaky.attempt(service.0.get())
}

#[tokio::test]
async fn cloned_argument_that_is_not_sync_keeps_the_future_send() {
    async fn call() -> R<u32> {
        clones_an_unshared_service(Unshared(Cell::new(1)), &Flaky::new()).await
    }
    assert_eq!(tokio::spawn(call()).await.unwrap(), Ok(1));
}
