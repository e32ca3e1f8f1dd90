//! Calls that a breaker keeps back: how long they wait, and what becomes of attempts that hang.

use std::error::Error;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::time::Duration;

use retry_runtime::{Breaker, BreakerOpen, BreakerState, Executor, Policy, Retryable, retry, transient};
use tokio::time::sleep;

use crate::support::{Attempts, Recorder, SECOND, ms, timed};

/// Opens with the second failure, for five seconds.
const fn of_two() -> Breaker {
    Breaker::new().minimum_calls(2)
}

async fn open(breaker: &Breaker) {
    for _ in 0..2 {
        let _: io::Result<()> = breaker.call(async { Err(ErrorKind::ConnectionReset.into()) }).await;
    }
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// A breaker that lets a probe through now.
async fn half_open() -> Breaker {
    let breaker = of_two();
    open(&breaker).await;
    tokio::time::advance(SECOND * 5).await;
    breaker
}

fn is_open(outcome: &io::Result<u32>) -> bool {
    outcome.as_ref().is_err_and(|error| error.get_ref().is_some_and(|held| held.is::<BreakerOpen>()))
}

/// The breaker's delay is its own, and not the server's.
mod while_it_is_open {
    use super::*;

    const POLICY: Policy = Policy::fixed(Duration::ZERO).attempts(3).deadline(Duration::from_secs(200));

    #[tokio::test(start_paused = true)]
    async fn the_limit_on_servers_delays_does_not_bound_the_wait() {
        for policy in [POLICY, POLICY.retry_after(SECOND), POLICY.ignore_retry_after()] {
            for open_for in [SECOND * 5, SECOND * 90] {
                let breaker = of_two().open_for(open_for);
                open(&breaker).await;
                let attempts = Attempts::new();
                let call = policy.run(|_| {
                    attempts.start();
                    breaker.call(async { io::Result::Ok(1) })
                });
                let (outcome, took) = timed(call).await;
                assert_eq!((outcome.unwrap(), took, attempts.count()), (1, open_for, 2), "{policy:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_bounds_the_wait() {
        let breaker = of_two();
        open(&breaker).await;
        let (outcome, took) =
            timed(POLICY.deadline(SECOND * 5).run(|_| breaker.call(async { io::Result::Ok(1) }))).await;
        assert!(is_open(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_event_says_that_the_wait_is_the_breakers() {
        let (breaker, recorder) = (of_two(), Recorder::new());
        open(&breaker).await;
        let policy = POLICY.retry_after(SECOND);
        let mut retry = Executor::new(&policy).observed_by(&*recorder);
        let outcome = retry.attempt(breaker.call(async { io::Result::Ok(1) })).await;
        assert!(retry.next(outcome, &retry_runtime::Condition::new()).is_continue());
        assert_eq!(recorder.lines().last().unwrap(), "1/3 Waiting { delay: 5s, source: Breaker }");
    }

    #[test]
    fn the_text_of_the_event_speaks_of_the_breaker() {
        let rehearsal = retry_runtime::testing::Rehearsal::new().keep_delays();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let breaker = of_two();
            open(&breaker).await;
            rehearsal.run(POLICY.run(|_| breaker.call(async { io::Result::Ok(1) }))).await.unwrap();
        });
        let lines: Vec<_> = rehearsal.events().iter().map(ToString::to_string).collect();
        assert!(
            lines.contains(&"next attempt in 5s, when the breaker may let a probe through".to_owned()),
            "{lines:?}"
        );
    }

    /// How long an annotated function waits whose error is made from the breaker's.
    macro_rules! waits {
        ($error:ty, $open:expr) => {{
            static BREAKER: Breaker = of_two();

            #[retry(attempts = 3, backoff = "fixed", start = "0s", deadline = "9s", retry_after = "1s")]
            async fn call() -> Result<(), $error> {
                let call: Result<(), BreakerOpen> = BREAKER.call(async { Ok(()) }).await;
                call.map_err($open)
            }
            open(&BREAKER).await;
            let (outcome, took) = timed(call()).await;
            assert!(outcome.is_ok(), "{}: {outcome:?}", stringify!($error));
            took
        }};
    }

    #[derive(Debug, Retryable, thiserror::Error)]
    enum Derived {
        #[error(transparent)]
        #[retryable(source)]
        Open(#[from] BreakerOpen),
        #[error("late")]
        #[retryable(transient)]
        Late(#[from] retry_runtime::TimedOut),
    }

    #[derive(Debug, thiserror::Error)]
    enum Chained {
        #[error("open")]
        Open(#[from] BreakerOpen),
        #[error("late")]
        Late(#[from] retry_runtime::TimedOut),
    }

    type Boxed = Box<dyn Error + Send + Sync>;

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_found_in_every_error_that_holds_it() {
        let five = SECOND * 5;
        assert_eq!(waits!(io::Error, io::Error::from), five);
        assert_eq!(waits!(Boxed, Boxed::from), five);
        assert_eq!(waits!(Boxed, |open| transient(open).into()), five);
        assert_eq!(waits!(anyhow::Error, |open| anyhow::Error::new(open).context("more")), five);
        assert_eq!(waits!(reqwest::Error, reqwest::Error::from), five);
        assert_eq!(waits!(reqwest_012::Error, reqwest_012::Error::from), five);
        assert_eq!(waits!(tonic::Status, tonic::Status::from), five);
        assert_eq!(waits!(Derived, Derived::from), five);
        assert_eq!(waits!(Chained, Chained::from), five);
    }
}

/// An attempt that a time limit of a call around cuts off.
mod cut_off_from_outside {
    use super::*;

    /// Calls a function with these arguments, which hangs, twice under this policy: how many were made of four calls.
    macro_rules! made_of_four {
        ($around:expr, ($($arguments:tt)*)) => {{
            static BREAKER: Breaker = of_two();

            #[retry(breaker = BREAKER, $($arguments)*)]
            async fn call(attempts: &Attempts) -> io::Result<()> {
                attempts.start();
                pending().await
            }
            let attempts = Attempts::new();
            for _ in 0..4 {
                $around.run(|_| call(&attempts)).await.unwrap_err();
            }
            attempts.count()
        }};
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_counts_as_a_failure() {
        let around = Policy::new().attempts(1);
        assert_eq!(made_of_four!(around.deadline(SECOND), (attempts = 1)), 2);
        assert_eq!(made_of_four!(around.deadline(SECOND), (start = "1s")), 2);
        assert_eq!(made_of_four!(around.deadline(SECOND), (attempts = 1, attempt_timeout = "1m")), 2);
        assert_eq!(made_of_four!(around.attempt_timeout(SECOND), (attempts = 1)), 2);
        // Both copies count, so the first call opens it.
        assert_eq!(made_of_four!(around.deadline(SECOND), (attempts = 1, hedge = "50ms")), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn through_a_call_between_them_too() {
        static BREAKER: Breaker = of_two();

        #[retry(breaker = BREAKER, attempts = 1)]
        async fn inner() -> io::Result<()> {
            pending().await
        }
        #[retry(attempts = 1)]
        async fn between() -> io::Result<()> {
            inner().await
        }
        #[retry(attempts = 1, deadline = "1s")]
        async fn outer() -> io::Result<()> {
            between().await
        }
        for _ in 0..2 {
            outer().await.unwrap_err();
        }
        assert_eq!(BREAKER.state(), BreakerState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_somebody_drops_in_time_does_not_count() {
        static BREAKER: Breaker = of_two();

        #[retry(breaker = BREAKER, attempts = 1)]
        async fn call() -> io::Result<()> {
            pending().await
        }
        let around = Policy::new().attempts(1).deadline(SECOND);
        for _ in 0..9 {
            tokio::time::timeout(ms(10), around.run(|_| call())).await.unwrap_err();
        }
        assert_eq!(BREAKER.state(), BreakerState::Closed);
    }
}
