//! Nested calls: which failures are retried once, and how the outer deadline limits inner calls.

use std::future::pending;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use retry_runtime::http::SendWithRetry;
use retry_runtime::{Attempt, Condition, Executor, Policy, retry};

use crate::support::server::{Server, client};
use crate::support::{Attempts, Fault, Recorder, SECOND, ms, timed};

const PLAIN: Policy = Policy::fixed(Duration::ZERO).attempts(3);
const ONCE: Policy = PLAIN.nested(retry_runtime::Nested::Once);

#[retry(policy = PLAIN)]
async fn innermost(attempts: &Attempts) -> Result<(), Fault> {
    attempts.start();
    Err(Fault::TRANSIENT)
}

#[retry(policy = policy)]
async fn middle(attempts: &Attempts, policy: Policy) -> Result<(), Fault> {
    innermost(attempts).await
}

#[retry(policy = policy)]
async fn outermost(attempts: &Attempts, policy: Policy, middle_policy: Policy) -> Result<(), Fault> {
    middle(attempts, middle_policy).await
}

/// Runs an operation in a hand-written loop.
async fn manual(policy: &Policy, operation: impl AsyncFn() -> Result<(), Fault>) -> Result<(), Fault> {
    let mut retry = Executor::new(policy);
    loop {
        let outcome = retry.attempt(operation()).await;
        match retry.next(outcome, &Condition::new()) {
            ControlFlow::Break(outcome) => break outcome,
            ControlFlow::Continue(pause) => pause.await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nested_once_reduces_three_layers_to_three_attempts() {
    for (policy, middle_policy, calls) in [(PLAIN, PLAIN, 27), (ONCE, PLAIN, 9), (PLAIN, ONCE, 9), (ONCE, ONCE, 3)] {
        let attempts = Attempts::new();
        outermost(&attempts, policy, middle_policy).await.unwrap_err();
        assert_eq!(attempts.count(), calls);
    }
}

#[test]
fn nested_once_works_in_blocking_functions() {
    #[retry(blocking, policy = PLAIN)]
    fn innermost(attempts: &Attempts) -> Result<(), Fault> {
        attempts.start();
        Err(Fault::TRANSIENT)
    }
    #[retry(blocking, policy = policy)]
    fn middle(attempts: &Attempts, policy: Policy) -> Result<(), Fault> {
        innermost(attempts)
    }
    #[retry(blocking, policy = policy)]
    fn outermost(attempts: &Attempts, policy: Policy) -> Result<(), Fault> {
        middle(attempts, policy)
    }
    for (policy, calls) in [(PLAIN, 27), (ONCE, 3)] {
        let attempts = Attempts::new();
        outermost(&attempts, policy).unwrap_err();
        assert_eq!(attempts.count(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn nested_once_works_in_manual_loops_and_closures() {
    for (policy, calls) in [(PLAIN, 27), (ONCE, 3)] {
        let attempts = Attempts::new();
        manual(&policy, async || manual(&policy, async || innermost(&attempts).await).await).await.unwrap_err();
        assert_eq!(attempts.count(), calls);
        let attempts = Attempts::new();
        policy.run(|_| async { policy.run(|_| innermost(&attempts)).await }).await.unwrap_err();
        assert_eq!(attempts.count(), calls);
        // A manual loop around an annotated function.
        let attempts = Attempts::new();
        manual(&policy, async || middle(&attempts, policy).await).await.unwrap_err();
        assert_eq!(attempts.count(), calls);
    }
}

/// A loop that gives up after its executor did has exhausted its retries all the same.
#[test]
fn report_after_the_end_of_a_loop_does_not_take_back_that_its_retries_are_exhausted() {
    #[retry(blocking, attempts = 3, start = "1ms", nested = "once")]
    fn outer(attempts: &Attempts) -> Result<u32, Fault> {
        let mut retry = Executor::new(&const { Policy::fixed(Duration::ZERO).attempts(2) });
        loop {
            match retry.attempt_blocking(|| attempts.succeed_at(9, Fault::TRANSIENT)) {
                Ok(number) => break Ok(retry.succeed(number)),
                Err(error) => match retry.pause(error) {
                    Ok(pause) => pause.block(),
                    Err(error) => break Err(retry.fail(error)),
                },
            }
        }
    }
    let attempts = Attempts::new();
    outer(&attempts).unwrap_err();
    assert_eq!(attempts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn nested_once_works_for_requests() {
    for (policy, requests) in [(PLAIN, 9), (ONCE, 3)] {
        let server = Server::statuses([503]).await;
        let client = client();
        let outcome = policy.run(|_| async { client.get(&server.url).send_with_retry(&PLAIN).await }).await;
        assert_eq!((outcome.unwrap().status().as_u16(), server.requests()), (503, requests));
    }
}

#[tokio::test(start_paused = true)]
async fn event_names_the_nested_call() {
    let (attempts, recorder) = (Attempts::new(), Recorder::new());
    let mut retry = Executor::new(&ONCE).observer(&recorder);
    let error = retry.attempt(innermost(&attempts)).await.unwrap_err();
    assert!(retry.pause(error).is_err());
    assert_eq!(recorder.lines()[2], "1/3 GaveUp(Nested)");
}

#[tokio::test(start_paused = true)]
async fn failure_that_was_not_retried_inside_is_retried_outside() {
    // Neither a single attempt nor a permanent failure counts as a retry.
    for inner in [PLAIN.attempts(1), PLAIN] {
        let attempts = Attempts::new();
        let error = if inner.schedule().count() == 0 { Fault::TRANSIENT } else { Fault::PERMANENT };
        let call = ONCE.run(|_| async {
            inner
                .run(|_| async { Err::<(), _>(attempts.start()).map_err(|_| error) })
                .await
                .map_err(|_| Fault::TRANSIENT)
        });
        call.await.unwrap_err();
        assert_eq!(attempts.count(), 3);
    }
    // Nor does a failure that the operation ignores.
    let (inner, outer) = (Attempts::new(), Attempts::new());
    let call = ONCE.run(|_| async {
        outer.start();
        let _ = innermost(&inner).await;
        PLAIN.run(|_| async { Err::<(), _>(Fault::PERMANENT) }).await.map_err(|_| Fault::TRANSIENT)
    });
    call.await.unwrap_err();
    assert_eq!((outer.count(), inner.count()), (3, 9));
}

/// A nested call that succeeds does not pass on the failures inside it.
#[tokio::test(start_paused = true)]
async fn successful_call_does_not_pass_on_inner_failures() {
    let (inner, outer) = (Attempts::new(), Attempts::new());
    let call = ONCE.run(|_| async {
        outer.start();
        let ignores_the_failure = ONCE.run(|_| async {
            let _ = innermost(&inner).await;
            Ok::<_, Fault>(())
        });
        ignores_the_failure.await?;
        Err::<(), _>(Fault::TRANSIENT)
    });
    call.await.unwrap_err();
    assert_eq!(outer.count(), 3);
}

/// A hundred calls run concurrently in one task. Each sees its own failures only.
#[tokio::test(start_paused = true)]
async fn concurrent_calls_do_not_affect_each_other() {
    let attempts: Vec<_> = (0..100).map(|_| Attempts::new()).collect();
    // Every other call fails without a nested call, and has to be retried.
    let calls = attempts.iter().enumerate().map(|(number, attempts)| async move {
        ONCE.run(|_| async move {
            tokio::time::sleep(ms(number as u64 % 7)).await;
            if number % 2 == 0 {
                innermost(attempts).await
            } else {
                attempts.start();
                Err(Fault::TRANSIENT)
            }
        })
        .await
    });
    futures_util::future::join_all(calls).await;
    assert!(attempts.iter().all(|attempts| attempts.count() == 3), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn intermediate_call_with_a_deadline_passes_on_the_exhausted_flag() {
    let attempts = Attempts::new();
    let between = PLAIN.attempts(1).deadline(SECOND);
    ONCE.run(|_| async { between.run(|_| innermost(&attempts)).await }).await.unwrap_err();
    assert_eq!(attempts.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn panic_or_drop_restores_the_context() {
    let exhausted = async |attempts: &Attempts| innermost(attempts).await;
    let attempts = Attempts::new();
    let mut panicking = Box::pin(ONCE.run(|_| async {
        let _ = exhausted(&attempts).await;
        panic!("on purpose");
        #[allow(unreachable_code)]
        Ok::<(), Fault>(())
    }));
    let mut cx = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| while panicking.as_mut().poll(&mut cx).is_pending() {}));
    polled.unwrap_err();
    {
        // The call is dropped between two polls, in the middle of an attempt.
        let policy = ONCE.deadline(SECOND);
        let call = pin!(policy.run(|_| async {
            let _ = exhausted(&attempts).await;
            pending::<Result<(), Fault>>().await
        }));
        let _ = tokio::time::timeout(ms(5), call).await;
    }
    // Outside these calls there is neither a deadline nor an exhausted failure.
    let mut retry = Executor::new(&PLAIN);
    retry.attempt(async { Err::<(), _>(Fault::TRANSIENT) }).await.unwrap_err();
    assert_eq!(retry.current().remaining(), None);
    assert!(retry.pause(Fault::TRANSIENT).is_ok());
}

mod deadlines {
    use super::*;

    const OUTER: Policy = Policy::fixed(SECOND).attempts(1).deadline(Duration::from_secs(10));

    #[tokio::test(start_paused = true)]
    async fn inner_call_sees_the_remaining_time() {
        #[retry(attempts = 1, bind = attempt)]
        async fn inner() -> Result<Duration, Fault> {
            Ok(attempt.remaining().unwrap())
        }
        let left = OUTER.run(|_| async {
            tokio::time::sleep(SECOND * 4).await;
            inner().await
        });
        assert_eq!(left.await.unwrap(), SECOND * 6);
        let shorter = |attempt: Attempt| async move { Ok::<_, Fault>(attempt.remaining().unwrap()) };
        let inner = Policy::new().deadline(SECOND * 3);
        assert_eq!(OUTER.run(|_| inner.run(shorter)).await.unwrap(), SECOND * 3);
        let inner = Policy::new().deadline(SECOND * 30);
        assert_eq!(OUTER.run(|_| inner.run(shorter)).await.unwrap(), SECOND * 10);
    }

    /// The inner call gives up at once, and does not wait until the outer deadline cuts it off.
    #[tokio::test(start_paused = true)]
    async fn inner_call_gives_up_if_the_delay_exceeds_the_outer_deadline() {
        let attempts = Attempts::new();
        let inner = Policy::fixed(SECOND * 4).attempts(9);
        let call = OUTER.run(|_| async {
            inner
                .run(|_| async {
                    attempts.start();
                    Err::<(), _>(Fault::TRANSIENT)
                })
                .await
        });
        let (outcome, took) = timed(call).await;
        outcome.unwrap_err();
        assert_eq!((attempts.count(), took), (3, SECOND * 8));
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_task_does_not_inherit_the_deadline() {
        let left = OUTER.run(|_| async {
            let task = tokio::spawn(async { Executor::new(&PLAIN).current().remaining() });
            Ok::<_, Fault>(task.await.unwrap())
        });
        assert_eq!(left.await.unwrap(), None);
    }
}

#[test]
fn blocking_functions_see_the_exhausted_flag() {
    #[retry(policy = PLAIN, blocking)]
    fn inner(attempts: &Attempts) -> Result<(), Fault> {
        attempts.start();
        Err(Fault::TRANSIENT)
    }
    #[retry(policy = policy, blocking)]
    fn outer(attempts: &Attempts, policy: Policy) -> Result<(), Fault> {
        inner(attempts)
    }
    for (policy, calls) in [(PLAIN, 9), (ONCE, 3)] {
        let attempts = Attempts::new();
        outer(&attempts, policy).unwrap_err();
        assert_eq!(attempts.count(), calls);
    }
}

mod attribute {
    use super::*;

    macro_rules! layers {
        ($($nested:tt)*) => {{
            #[retry(backoff = "fixed", start = "0s" $($nested)*)]
            async fn middle(attempts: &Attempts) -> Result<(), Fault> {
                innermost(attempts).await
            }
            #[retry(backoff = "fixed", start = "0s" $($nested)*)]
            async fn outermost(attempts: &Attempts) -> Result<(), Fault> {
                middle(attempts).await
            }
            let attempts = Attempts::new();
            outermost(&attempts).await.unwrap_err();
            attempts.count()
        }};
    }

    #[tokio::test(start_paused = true)]
    async fn nested_argument_works_with_and_without_a_deadline() {
        assert_eq!((layers!(), layers!(, nested = "once"), layers!(, deadline = "9s", nested = "once")), (27, 3, 3));
    }

    #[test]
    fn nested_argument_works_in_blocking_functions() {
        #[retry(policy = PLAIN, blocking)]
        fn inner(attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::TRANSIENT)
        }
        #[retry(backoff = "fixed", start = "0s", nested = "once", blocking)]
        fn outer(attempts: &Attempts) -> Result<(), Fault> {
            inner(attempts)
        }
        let attempts = Attempts::new();
        outer(&attempts).unwrap_err();
        assert_eq!(attempts.count(), 3);
    }
}
