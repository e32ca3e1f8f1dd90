//! Retry budgets: what takes tokens, and what gives them back.
//!
//! The budgets here have a fixed capacity, such as 500 tokens; see `traffic` for those without. A retry takes 5, or 20 after a timeout.
//! A success with the first attempt returns 1, and a success with a retry returns the tokens that this retry took.

use std::io::{Error, ErrorKind};
use std::panic::AssertUnwindSafe;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::{Budget, Condition, Executor, Policy, TimedOut};

use crate::support::server::{Server, client};
use crate::support::{Attempts, Fault, Recorder, SECOND, ms};

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

/// A policy with its own budget, and that budget. Each use of the macro has one `static`, so a use in a loop shares the
/// budget between the iterations.
macro_rules! policy {
    ($budget:expr) => {{
        static BUDGET: Budget = $budget;
        (POLICY.budget(|| &BUDGET), &BUDGET)
    }};
}

mod ratio;
mod rejections;
mod traffic;

async fn fail(policy: &Policy, error: Fault) -> u32 {
    let attempts = Attempts::new();
    let attempts = &attempts;
    let outcome = policy
        .run(|_| async move {
            attempts.start();
            Err::<(), _>(error)
        })
        .await;
    assert!(outcome.is_err());
    attempts.count()
}

async fn succeed_at(policy: &Policy, number: u32) {
    let attempts = Attempts::new();
    let attempts = &attempts;
    policy.run(|_| async move { attempts.succeed_at(number, Fault::TRANSIENT) }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn retries_take_tokens_until_none_are_left() {
    let (policy, budget) = policy!(Budget::new().capacity(12));
    assert_eq!(fail(&policy, Fault::TRANSIENT).await, 3);
    assert_eq!((budget.tokens(), budget.refusals()), (2, 0));
    // First attempts are never limited.
    assert_eq!(fail(&policy, Fault::TRANSIENT).await, 1);
    assert_eq!((budget.tokens(), budget.refusals()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn event_reports_that_the_budget_ends_the_call() {
    let (policy, _) = policy!(Budget::new().capacity(10));
    let recorder = Recorder::new();
    fail(&policy, Fault::TRANSIENT).await;
    let mut retry = Executor::new(&policy).observer(&recorder);
    retry.attempt(async { Err::<(), _>(Fault::TRANSIENT) }).await.unwrap_err();
    assert!(retry.pause(Fault::TRANSIENT).is_err());
    assert_eq!(recorder.lines()[2], "1/3 GaveUp(Budget)");
}

#[tokio::test(start_paused = true)]
async fn success_returns_one_token_or_the_cost_of_the_last_retry() {
    let (policy, budget) = policy!(Budget::new().capacity(20));
    fail(&policy, Fault::TRANSIENT).await;
    assert_eq!(budget.tokens(), 10);
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 11);
    succeed_at(&policy, 2).await;
    assert_eq!(budget.tokens(), 11);
    // The cost of an earlier retry is not returned.
    succeed_at(&policy, 3).await;
    assert_eq!(budget.tokens(), 6);
}

#[tokio::test(start_paused = true)]
async fn tokens_never_exceed_the_capacity() {
    let (policy, budget) = policy!(Budget::new().capacity(10).success_gain(7));
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 10);
    succeed_at(&policy, 3).await;
    assert_eq!(budget.tokens(), 5);
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 10);
}

#[tokio::test(start_paused = true)]
async fn retry_after_a_timeout_costs_more_than_after_a_refused_connection() {
    let (refused, after_refused) = policy!(Budget::new().capacity(500));
    refused.attempts(2).run(|_| async { Err::<(), _>(Error::from(ErrorKind::ConnectionRefused)) }).await.unwrap_err();
    assert_eq!(after_refused.tokens(), 495);
    let (timed_out, after_timeout) = policy!(Budget::new().capacity(500));
    timed_out.attempts(2).run(|_| async { Err::<(), _>(Error::from(ErrorKind::TimedOut)) }).await.unwrap_err();
    assert_eq!(after_timeout.tokens(), 480);
    // A cost above the capacity counts as the capacity: the first retry takes all 10 tokens, and the second finds none.
    let (timed_out, after_timeout) = policy!(Budget::new().capacity(10));
    timed_out.run(|_| async { Err::<(), _>(Error::from(ErrorKind::TimedOut)) }).await.unwrap_err();
    assert_eq!((after_timeout.tokens(), after_timeout.refusals()), (0, 1));
    let (cut_off, after_cut) = policy!(Budget::new().capacity(500).retry_cost(1).timeout_cost(3));
    let cut_off = cut_off.attempts(2).attempt_timeout(ms(10));
    let outcome: Result<(), Error> = cut_off.run(|_| std::future::pending()).await;
    assert!(outcome.unwrap_err().get_ref().unwrap().is::<TimedOut>());
    assert_eq!(after_cut.tokens(), 497);
}

#[tokio::test(start_paused = true)]
async fn failure_without_a_retry_takes_no_tokens() {
    let (policy, budget) = policy!(Budget::new().capacity(500));
    // A permanent failure.
    assert_eq!(fail(&policy, Fault::PERMANENT).await, 1);
    // A limit of one attempt.
    assert_eq!(fail(&policy.attempts(1), Fault::TRANSIENT).await, 1);
    // The delay that the server asks for reaches the deadline.
    assert_eq!(fail(&policy.deadline(ms(1001)), Fault::TRANSIENT.after(SECOND * 2)).await, 1);
    // The server asks for more than `retry_after`, which is 60 s.
    assert_eq!(fail(&policy, Fault::TRANSIENT.after(SECOND * 99)).await, 1);
    assert_eq!((budget.tokens(), budget.refusals()), (500, 0));
}

#[tokio::test(start_paused = true)]
async fn retry_cancelled_before_it_starts_returns_its_tokens() {
    let (policy, budget) = policy!(Budget::new().capacity(500));
    tokio::time::timeout(ms(500), fail(&policy, Fault::TRANSIENT)).await.unwrap_err();
    assert_eq!(budget.tokens(), 500);
    // A retry that has started may have reached the server, so it is paid for.
    let hanging = policy.run(|attempt| async move {
        if attempt.number() == 1 { Err::<(), _>(Fault::TRANSIENT) } else { std::future::pending().await }
    });
    tokio::time::timeout(ms(1500), hanging).await.unwrap_err();
    assert_eq!(budget.tokens(), 495);
}

#[tokio::test(start_paused = true)]
async fn retry_made_after_a_dropped_pause_is_paid_for() {
    let (policy, budget) = policy!(Budget::new());
    let fails = async || Err::<(), _>(Fault::TRANSIENT);
    for blocking in [false, true] {
        let before = budget.tokens();
        let mut retry = Executor::new(&policy);
        retry.attempt(fails()).await.unwrap_err();
        drop(retry.pause(Fault::TRANSIENT).unwrap());
        if blocking {
            retry.attempt_blocking(|| Err::<(), _>(Fault::TRANSIENT)).unwrap_err();
        } else {
            retry.attempt(fails()).await.unwrap_err();
        }
        drop(retry);
        assert_eq!(budget.tokens(), before - 5);
    }
    // While the retry runs.
    let before = budget.tokens();
    let mut retry = Executor::new(&policy);
    drop(retry.pause(Fault::TRANSIENT).unwrap());
    tokio::time::timeout(ms(10), retry.attempt(std::future::pending::<Result<(), Error>>())).await.unwrap_err();
    drop(retry);
    assert_eq!(budget.tokens(), before - 5);
}

/// The call is dropped between the end of the pause and the start of the attempt.
#[tokio::test(start_paused = true)]
async fn retry_that_never_starts_after_its_pause_returns_its_tokens() {
    let (policy, budget) = policy!(Budget::new().capacity(500));
    for blocking in [false, true] {
        let mut retry = Executor::new(&policy);
        retry.attempt_blocking(|| ());
        let pause = retry.pause(Fault::TRANSIENT).unwrap();
        if blocking {
            pause.block_with(|_| {})
        } else {
            pause.await
        }
        drop(retry);
        assert_eq!(budget.tokens(), 500);
    }
}

#[tokio::test(start_paused = true)]
async fn panic_before_a_retry_starts_loses_no_tokens() {
    struct PanicsTheSecondTime<'a>(&'a Attempts);

    impl Clone for PanicsTheSecondTime<'_> {
        fn clone(&self) -> Self {
            assert_eq!(self.0.start(), 1, "the second copy");
            Self(self.0)
        }
    }

    static ANNOTATED: Budget = Budget::new().capacity(500);

    #[retry_runtime::retry(start = "1s", budget = ANNOTATED, clone = [copied])]
    async fn call(copied: PanicsTheSecondTime<'_>) -> Result<(), Fault> {
        let _ = copied.0.count();
        Err(Fault::TRANSIENT)
    }
    let (policy, budget) = policy!(Budget::new().capacity(500));
    let operation = |attempt: retry_runtime::Attempt| {
        assert_eq!(attempt.number(), 1, "the second attempt");
        async { Err::<(), _>(Fault::TRANSIENT) }
    };
    assert!(AssertUnwindSafe(policy.run(operation)).catch_unwind().await.is_err());
    let attempts = Attempts::new();
    assert!(AssertUnwindSafe(call(PanicsTheSecondTime(&attempts))).catch_unwind().await.is_err());
    assert_eq!((budget.tokens(), ANNOTATED.tokens()), (500, 500));
}

/// Panics at each event whose text contains this.
struct Panics(&'static str);

impl retry_runtime::Observer for Panics {
    fn on_event(&self, event: &retry_runtime::Event<'_>) {
        assert!(!format!("{:?}", event.kind).contains(self.0), "an observer panics on purpose");
    }
}

/// The tokens left after a call that makes two retries and fails, or is ended by the observer's panic at `event`.
fn tokens_after_a_panic_at(event: &'static str, budget: &'static Budget, policy: Policy) -> u32 {
    let observer = Panics(event);
    let call = async {
        let mut retry = Executor::new(&policy).observer(&observer);
        loop {
            let outcome = retry.attempt(async { Err::<(), _>(Fault::TRANSIENT) }).await;
            match retry.pause(outcome.unwrap_err()) {
                Ok(pause) => pause.await,
                Err(_) => break,
            }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(call))).unwrap_err();
    budget.tokens()
}

#[test]
fn panicking_observer_loses_no_tokens() {
    for (event, left) in [
        ("AttemptStarted", 500),
        ("AttemptFailed", 500),
        ("Waiting", 500),
        // Both retries were made by then.
        ("GaveUp", 490),
    ] {
        let (policy, budget) = policy!(Budget::new().capacity(500));
        // All events share the budget, because the macro is used in a loop.
        let used = 500 - budget.tokens();
        assert_eq!(tokens_after_a_panic_at(event, budget, policy) + used, left, "{event}");
    }
}

/// The observer panics when the second attempt starts.
#[test]
fn panicking_observer_at_the_start_of_a_retry_loses_no_tokens() {
    let (policy, budget) = policy!(Budget::new().capacity(500));
    struct PanicsAtTheSecond;
    impl retry_runtime::Observer for PanicsAtTheSecond {
        fn on_event(&self, event: &retry_runtime::Event<'_>) {
            let starts = matches!(event.kind, retry_runtime::event::EventKind::AttemptStarted);
            assert!(!(starts && event.attempt == 2), "an observer panics on purpose");
        }
    }
    let catch = |work: &mut dyn FnMut()| {
        std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    };
    // The panic drops the executor.
    catch(&mut || {
        let mut retry = Executor::new(&policy).observer(&PanicsAtTheSecond);
        retry.pause(Fault::TRANSIENT).unwrap().block_with(|_| ());
        retry.attempt_blocking(|| ());
    });
    assert_eq!(budget.tokens(), 500);
    // While the executor lives, the tokens stay taken, because it may still make the attempt. Dropping it returns them.
    let mut retry = Executor::new(&policy);
    retry.pause(Fault::TRANSIENT).unwrap().block_with(|_| ());
    retry = retry.observer(&PanicsAtTheSecond);
    catch(&mut || retry.attempt_blocking(|| ()));
    assert_eq!(budget.tokens(), 495);
    drop(retry);
    assert_eq!(budget.tokens(), 500);
}

#[tokio::test(start_paused = true)]
async fn panicking_observer_at_a_hedged_copy_loses_no_tokens() {
    static BUDGET: Budget = Budget::new().capacity(500);
    #[retry_runtime::retry(hedge = "50ms", attempts = 1, budget = BUDGET, observer = Panics("Hedged"))]
    async fn call() -> Result<(), Fault> {
        tokio::time::sleep(SECOND).await;
        Ok(())
    }
    tokio::spawn(call()).await.unwrap_err();
    assert_eq!(BUDGET.tokens(), 500);
}

#[tokio::test(start_paused = true)]
async fn finished_call_returns_tokens_once() {
    let (policy, budget) = policy!(Budget::new().capacity(500));
    let mut retry = Executor::new(&policy);
    retry.attempt(async { Err::<(), _>(Fault::TRANSIENT) }).await.unwrap_err();
    retry.pause(Fault::TRANSIENT).unwrap().await;
    retry.attempt(async { Ok::<_, Fault>(()) }).await.unwrap();
    retry.succeed(());
    retry.succeed(());
    drop(retry);
    assert_eq!(budget.tokens(), 500);
}

#[tokio::test(start_paused = true)]
async fn requests_and_functions_share_a_budget() {
    let (policy, budget) = policy!(Budget::new().capacity(10));
    let server = Server::statuses([503]).await;
    client().get(&server.url).send_with_retry(&policy).await.unwrap();
    assert_eq!((server.requests(), budget.tokens()), (3, 0));
    let retry = RequestRetry::new(policy).condition(Condition::new());
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!((server.requests(), budget.refusals()), (4, 1));
    let server = Server::statuses([200]).await;
    client().get(&server.url).send_with_retry(&policy).await.unwrap();
    assert_eq!(budget.tokens(), 1);
}

#[test]
fn no_token_is_lost_in_ten_million_operations_on_two_threads() {
    const EACH: u32 = 2_500_000;
    static BUDGET: Budget = Budget::new().capacity(u32::MAX);
    let policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| &BUDGET);
    let work = || {
        for _ in 0..EACH {
            // The retry takes five tokens, and its success returns them.
            let mut retry = Executor::new(&policy);
            retry.pause(Fault::TRANSIENT).unwrap().block();
            retry.succeed(());
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    assert_eq!((BUDGET.tokens(), BUDGET.refusals()), (u32::MAX, 0));
}

/// True if the budget pays for the retry of a failed call. The retry starts, so that its tokens are not paid back.
fn retries(policy: &Policy) -> bool {
    let mut retry = Executor::new(policy);
    let Ok(pause) = retry.pause(Fault::TRANSIENT) else { return false };
    pause.block();
    retry.attempt_blocking(|| ());
    true
}

#[test]
fn two_threads_take_no_more_tokens_than_the_capacity() {
    static BUDGET: Budget = Budget::new().capacity(1_000_000).retry_cost(1);
    let policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| &BUDGET);
    let work = || (0..800_000).filter(|_| retries(&policy)).count();
    let (one, two) = thread::scope(|scope| {
        let (one, two) = (scope.spawn(work), scope.spawn(work));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert_eq!((one + two, BUDGET.tokens(), BUDGET.refusals()), (1_000_000, 0, 600_000));
}

proptest! {
    /// The number of tokens matches a simple model after any sequence of calls.
    #[test]
    fn tokens_match_a_simple_model(
        capacity in 10_u32..60,
        calls in proptest::collection::vec((0_u32..3, any::<bool>()), 0..60),
    ) {
        // `Policy::budget` takes a `fn`, which cannot capture the budget of this case, so the `fn` reads it from a static.
        static CURRENT: std::sync::Mutex<Option<&'static Budget>> = std::sync::Mutex::new(None);
        let budget: &'static Budget = Box::leak(Box::new(Budget::new().capacity(capacity)));
        *CURRENT.lock().unwrap() = Some(budget);
        let policy = Policy::fixed(Duration::ZERO).attempts(3).budget(|| CURRENT.lock().unwrap().unwrap());
        let mut tokens = capacity;
        for (failures, succeeds) in calls {
            let mut retry = Executor::new(&policy);
            let mut paid = None;
            let mut is_alive = true;
            for _ in 0..failures {
                match retry.pause(Fault::TRANSIENT) {
                    Ok(pause) => {
                        pause.block();
                        retry.attempt_blocking(|| ());
                        tokens -= 5;
                        paid = Some(5);
                    }
                    Err(_) => {
                        prop_assert!(tokens < 5);
                        is_alive = false;
                        break;
                    }
                }
            }
            if is_alive && succeeds {
                retry.succeed(());
                tokens = capacity.min(tokens + paid.unwrap_or(1));
            }
            prop_assert_eq!(budget.tokens(), tokens);
        }
    }
}

mod attribute {
    use super::*;
    use retry_runtime::retry;

    #[tokio::test(start_paused = true)]
    async fn functions_with_the_same_budget_share_its_tokens() {
        static SMALL: Budget = Budget::new().capacity(10);
        #[retry(start = "1s", budget = SMALL)]
        async fn one(attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::TRANSIENT)
        }
        #[retry(budget = SMALL, attempts = 1)]
        async fn two() -> Result<(), Fault> {
            Ok(())
        }
        let attempts = Attempts::new();
        one(&attempts).await.unwrap_err();
        assert_eq!((attempts.count(), SMALL.tokens()), (3, 0));
        one(&attempts).await.unwrap_err();
        assert_eq!(attempts.count(), 4);
        two().await.unwrap();
        assert_eq!(SMALL.tokens(), 1);
    }

    #[test]
    fn blocking_function_takes_tokens() {
        static SMALL: Budget = Budget::new().capacity(5);
        #[retry(backoff = "fixed", start = "0s", budget = SMALL, blocking)]
        fn call(attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::TRANSIENT)
        }
        let attempts = Attempts::new();
        call(&attempts).unwrap_err();
        assert_eq!((attempts.count(), SMALL.refusals()), (2, 1));
    }
}
