//! The effects of a caller's deadline: it ends retries, and attempts that can be cut off.

use std::future::pending;
use std::io;

use retry_runtime::event::GiveUp;
use retry_runtime::{Breaker, Deadline, Executor, Nested, Policy, TimedOut, retry};
use tokio::time::sleep;

use crate::support::{Attempts, Recorder, SECOND, all_ms, ms, timed};

#[retry(attempts = 9, backoff = "fixed", start = "1s", observer = recorder)]
async fn failing(recorder: &Recorder, attempts: &Attempts) -> Result<(), &'static str> {
    attempts.start();
    Err("no")
}

#[tokio::test(start_paused = true)]
async fn retries_end_at_the_deadline_of_the_caller() {
    let (recorder, attempts) = (Recorder::new(), Attempts::new());
    let (outcome, took) = timed(Deadline::after(ms(2500)).scope(failing(&recorder, &attempts))).await;
    assert_eq!((outcome, took), (Err("no"), SECOND * 2));
    assert_eq!(attempts.delays(), all_ms([1000, 1000]));
    assert_eq!(recorder.lines().last().unwrap(), "3/9 GaveUp(CallerDeadline)");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_in_the_last_millisecond() {
    for (left, expected) in [(1000, 1), (1001, 1), (1002, 2)] {
        let attempts = Attempts::new();
        Deadline::after(ms(left)).scope(failing(&Recorder::new(), &attempts)).await.unwrap_err();
        assert_eq!(attempts.count(), expected, "{left} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn blocking_retries_end_at_the_deadline_of_the_caller() {
    let attempts = Attempts::new();
    let outcome = Deadline::after(SECOND).run(|| {
        let policy = Policy::fixed(SECOND * 2).attempts(3);
        policy.run(|_| Err::<(), _>(attempts.start())).blocking().when(|_| true).call()
    });
    assert_eq!(outcome, Err(1));
}

#[test]
fn reason_has_a_name_and_a_text() {
    assert_eq!(GiveUp::CallerDeadline.as_str(), "caller_deadline");
    assert_eq!(GiveUp::CallerDeadline.to_string(), "the next attempt could not start before the caller's deadline");
}

#[tokio::test(start_paused = true)]
async fn call_with_a_time_limit_is_cut_off_at_the_deadline_of_the_caller() {
    #[retry(attempts = 3, deadline = "9s")]
    async fn deadline() -> Result<(), TimedOut> {
        pending().await
    }
    #[retry(attempts = 3, attempt_timeout = "9s")]
    async fn attempt_timeout() -> Result<(), TimedOut> {
        pending().await
    }
    let by_hand = async || {
        let policy = Policy::new().deadline(SECOND * 9);
        Executor::new(&policy).attempt(pending::<Result<(), TimedOut>>()).await
    };
    for (outcome, took) in [
        timed(Deadline::after(SECOND).scope(deadline())).await,
        timed(Deadline::after(SECOND).scope(attempt_timeout())).await,
        timed(Deadline::after(SECOND).scope(by_hand())).await,
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), "the caller's deadline of 1s passed while the attempt ran");
        assert!(error.is_deadline() && error.is_caller_deadline());
        assert_eq!((error.limit(), took), (SECOND, SECOND));
    }
}

#[tokio::test(start_paused = true)]
async fn earlier_limits_of_the_call_itself_keep_their_names() {
    #[retry(attempts = 1, deadline = "2s")]
    async fn deadline() -> Result<(), TimedOut> {
        pending().await
    }
    #[retry(attempts = 1, attempt_timeout = "2s")]
    async fn attempt_timeout() -> Result<(), TimedOut> {
        pending().await
    }
    let caller = Deadline::after(SECOND * 9);
    let error = caller.scope(deadline()).await.unwrap_err();
    assert!(error.is_deadline() && !error.is_caller_deadline());
    assert_eq!(error.to_string(), "the deadline of 2s passed while the attempt ran");
    let error = caller.scope(attempt_timeout()).await.unwrap_err();
    assert!(!error.is_deadline() && !error.is_caller_deadline());
}

/// The deadline of the call around ends earlier, but cuts nothing off. That of the caller does, at its own time.
#[tokio::test(start_paused = true)]
async fn call_around_with_an_earlier_deadline_keeps_its_name() {
    let recorder = Recorder::new();
    let policy = Policy::new().deadline(SECOND);
    let outcome = Deadline::after(SECOND * 3).scope(async {
        let mut outer = Executor::new(&policy);
        outer
            .attempt_to_end(async {
                sleep(SECOND / 2).await;
                failing(&recorder, &Attempts::new()).await
            })
            .await
    });
    outcome.await.unwrap_err();
    assert_eq!(recorder.lines().last().unwrap(), "1/9 GaveUp(Deadline)");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_with_a_deadline_starts_after_that_of_the_caller() {
    #[retry(attempts = 3, deadline = "9s")]
    async fn call(attempts: &Attempts) -> Result<(), TimedOut> {
        attempts.start();
        Ok(())
    }
    let attempts = Attempts::new();
    let caller = Deadline::after(SECOND);
    sleep(SECOND).await;
    assert!(caller.scope(call(&attempts)).await.unwrap_err().is_caller_deadline());
    assert_eq!(attempts.count(), 0);
}

/// Their own time is not over.
#[tokio::test(start_paused = true)]
async fn calls_around_retry_what_a_deadline_inside_their_attempt_has_ended() {
    let outer = Attempts::new();
    let policy = Policy::fixed(ms(1)).attempts(3).nested(Nested::Once);
    let recorder = Recorder::new();
    let outcome = policy.run(async |_| {
        outer.start();
        Deadline::after(SECOND).scope(failing(&recorder, &Attempts::new())).await
    });
    outcome.when(|_| true).await.unwrap_err();
    assert_eq!(outer.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn probe_of_a_breaker_is_waited_for_until_the_deadline_of_the_caller() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(1).failure_rate(1).open_for(ms(100));
    BREAKER.call(async { Err::<(), _>(io::Error::other("no")) }).await.unwrap_err();
    sleep(ms(100)).await;
    let probe = tokio::spawn(BREAKER.call(async {
        sleep(ms(300)).await;
        io::Result::Ok(())
    }));
    tokio::task::yield_now().await;
    #[retry(attempts = 1, deadline = "9s")]
    async fn call() -> io::Result<()> {
        BREAKER.call(async { Ok(()) }).await
    }
    let (outcome, took) = timed(Deadline::after(SECOND).scope(call())).await;
    outcome.unwrap();
    assert_eq!(took, ms(300));
    probe.await.unwrap().unwrap();
}

/// The task goes on when the call around it is cut off, so nothing bounds its wait.
#[tokio::test(start_paused = true)]
async fn probe_of_a_breaker_is_not_waited_for_in_a_task() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(1).failure_rate(1).open_for(ms(100));
    BREAKER.call(async { Err::<(), _>(io::Error::other("no")) }).await.unwrap_err();
    sleep(ms(100)).await;
    #[retry(deadline = "9s")]
    async fn outer() -> io::Result<()> {
        let probe = tokio::spawn(BREAKER.call(async {
            sleep(ms(300)).await;
            io::Result::Ok(())
        }));
        tokio::task::yield_now().await;
        let rejected = BREAKER.call(async { io::Result::Ok(()) });
        let rejected = tokio::spawn(Deadline::current().unwrap().scope(rejected)).await?;
        assert_eq!(rejected.unwrap_err().to_string(), "the breaker `breaker` is open");
        probe.await?
    }
    outer().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn hedged_copies_end_at_the_deadline_of_the_caller() {
    #[retry(attempts = 3, deadline = "9s", hedge = "200ms")]
    async fn call(copies: &Attempts) -> Result<(), TimedOut> {
        copies.start();
        pending().await
    }
    let copies = Attempts::new();
    let (outcome, took) = timed(Deadline::after(SECOND).scope(call(&copies))).await;
    assert!(outcome.unwrap_err().is_caller_deadline());
    assert_eq!((copies.count(), took), (2, SECOND));
}
