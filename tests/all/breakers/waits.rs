//! How long calls wait for an open breaker, and for a probe that runs.

use std::error::Error;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::time::Duration;

use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::{Breaker, Executor, Policy, Retryable, retry, transient};
use tokio::time::sleep;

use super::{half_open, open, opens_after_two};
use crate::support::{Attempts, Recorder, SECOND, ms, timed};

fn is_rejected(outcome: &io::Result<u32>) -> bool {
    outcome.as_ref().is_err_and(|error| error.get_ref().is_some_and(|held| held.is::<BreakerOpen>()))
}

/// The wait for an open breaker is not a server's delay, so the limits on server delays do not apply to it.
mod open_breaker {
    use super::*;

    const POLICY: Policy = Policy::fixed(Duration::ZERO).attempts(3).deadline(Duration::from_secs(200));

    #[tokio::test(start_paused = true)]
    async fn limit_on_server_delays_does_not_limit_the_wait() {
        for policy in [POLICY, POLICY.retry_after(SECOND), POLICY.ignore_retry_after()] {
            for open_for in [SECOND * 5, SECOND * 90] {
                let breaker = opens_after_two().open_for(open_for);
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
    async fn call_ends_at_once_if_the_deadline_is_before_the_probe() {
        let breaker = opens_after_two();
        open(&breaker).await;
        let (outcome, took) =
            timed(POLICY.deadline(SECOND * 5).run(|_| breaker.call(async { io::Result::Ok(1) }))).await;
        assert!(is_rejected(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn call_of_a_breaker_that_fails_fast_does_not_wait() {
        for (breaker, expected) in [(opens_after_two(), SECOND * 5), (opens_after_two().fail_fast(), Duration::ZERO)] {
            open(&breaker).await;
            let (outcome, took) = timed(POLICY.run(|_| breaker.call(async { io::Result::Ok(1) }))).await;
            assert_eq!((is_rejected(&outcome), took), (expected.is_zero(), expected));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_event_names_the_breaker_as_the_source() {
        let (breaker, recorder) = (opens_after_two(), Recorder::new());
        open(&breaker).await;
        let policy = POLICY.retry_after(SECOND);
        let mut retry = Executor::new(&policy).observer(&*recorder);
        let outcome = retry.attempt(breaker.call(async { io::Result::Ok(1) })).await;
        assert!(retry.next(outcome, &retry_runtime::Condition::new()).is_continue());
        assert_eq!(recorder.lines().last().unwrap(), "1/3 Waiting { delay: 5s, source: Breaker }");
    }

    #[test]
    fn text_of_the_waiting_event_mentions_the_breaker() {
        let simulation = retry_runtime::testing::Simulation::new().keep_delays();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let breaker = opens_after_two();
            open(&breaker).await;
            simulation.run(POLICY.run(|_| breaker.call(async { io::Result::Ok(1) }))).await.unwrap();
        });
        let lines: Vec<_> = simulation.events().iter().map(ToString::to_string).collect();
        assert!(lines.contains(&"next attempt in 5s, when the breaker may admit it".to_owned()), "{lines:?}");
    }

    /// The time an annotated function takes if it converts the breaker's error into `$error`.
    macro_rules! waits {
        ($error:ty, $open:expr) => {{
            static BREAKER: Breaker = opens_after_two();

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
    async fn wait_is_found_in_every_error_that_contains_breaker_open() {
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

/// Calls that start while a probe runs.
mod while_a_probe_runs {
    use super::*;

    const POLICY: Policy = Policy::fixed(Duration::from_millis(10)).attempts(3).deadline(Duration::from_secs(60));

    /// A probe that takes 200 ms.
    async fn probe(breaker: &Breaker, succeeds: bool) {
        let outcome = breaker.call(async {
            sleep(ms(200)).await;
            if succeeds { Ok(()) } else { Err(io::Error::from(ErrorKind::ConnectionReset)) }
        });
        assert_eq!(outcome.await.is_ok(), succeeds);
    }

    async fn other(breaker: &Breaker, policy: &Policy, attempts: &Attempts) -> io::Result<u32> {
        sleep(ms(1)).await;
        policy
            .run(|attempt| {
                attempts.start();
                breaker.call(async move { Ok(attempt.number()) })
            })
            .await
    }

    /// Uses the real clock: a loop without pauses would not let a paused clock advance.
    #[tokio::test]
    async fn call_does_not_poll_the_breaker_in_a_busy_loop() {
        let breaker = opens_after_two().open_for(ms(1));
        open(&breaker).await;
        sleep(ms(5)).await;
        let policy = Policy::fixed(Duration::ZERO).unlimited().deadline(ms(50));
        let (attempts, probe) = (Attempts::new(), probe(&breaker, true));
        let ((), outcome) = tokio::join!(probe, other(&breaker, &policy, &attempts));
        outcome.unwrap_err();
        assert!(attempts.count() < 5, "{} attempts in 50 ms", attempts.count());
    }

    #[tokio::test(start_paused = true)]
    async fn call_continues_as_soon_as_the_probe_succeeds() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let both = async { tokio::join!(probe(&breaker, true), other(&breaker, &POLICY, &attempts)) };
        let (((), outcome), took) = timed(both).await;
        assert_eq!((outcome.unwrap(), took), (1, ms(200)));
    }

    #[tokio::test(start_paused = true)]
    async fn call_of_a_breaker_that_fails_fast_does_not_wait_for_the_probe() {
        let (breaker, attempts) = (opens_after_two().fail_fast(), Attempts::new());
        open(&breaker).await;
        sleep(SECOND * 5).await;
        let both = async { tokio::join!(probe(&breaker, true), timed(other(&breaker, &POLICY, &attempts))) };
        let ((), (outcome, took)) = both.await;
        assert!(is_rejected(&outcome));
        assert_eq!((took, attempts.count()), (ms(1), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn call_waits_for_the_next_probe_after_a_failed_one() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let both = async { tokio::join!(probe(&breaker, false), other(&breaker, &POLICY, &attempts)) };
        let (((), outcome), took) = timed(both).await;
        assert_eq!((outcome.unwrap(), took), (2, ms(200) + SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_call_becomes_the_probe_if_the_first_probe_is_dropped() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let dropped = async { tokio::time::timeout(ms(100), probe(&breaker, true)).await.unwrap_err() };
        let both = async { tokio::join!(dropped, other(&breaker, &POLICY, &attempts)) };
        let ((_, outcome), took) = timed(both).await;
        assert_eq!((outcome.unwrap(), took), (1, ms(100)));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn one_waiting_call_becomes_the_probe_and_the_others_follow() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let running = Attempts::new();
        let call = || async {
            sleep(ms(1)).await;
            let call = async {
                running.start();
                sleep(ms(50)).await;
                Ok(())
            };
            POLICY
                .run(|_| {
                    attempts.start();
                    breaker.call::<io::Result<()>>(async {
                        sleep(ms(50)).await;
                        Ok(())
                    })
                })
                .await?;
            call.await
        };
        let dropped = async { tokio::time::timeout(ms(100), probe(&breaker, true)).await.unwrap_err() };
        let calls = futures_util::future::join_all((0..9).map(|_| call()));
        let ((_, outcomes), took) = timed(async { tokio::join!(dropped, calls) }).await;
        let outcomes: Vec<io::Result<()>> = outcomes;
        assert!(outcomes.iter().all(Result::is_ok));
        // One call is the probe from 100 to 150 ms, the others run until 200 ms, and the code after them until 250 ms.
        assert_eq!((attempts.count(), running.count(), took), (9, 9, ms(250)));
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_waiter_does_not_affect_other_waiters() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let dropped = async { tokio::time::timeout(ms(50), other(&breaker, &POLICY, &attempts)).await.unwrap_err() };
        let all = async { tokio::join!(probe(&breaker, true), dropped, other(&breaker, &POLICY, &attempts)) };
        let (((), _, outcome), took) = timed(all).await;
        assert_eq!((outcome.unwrap(), took), (1, ms(200)));
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_ends_the_wait() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let policy = POLICY.deadline(ms(100));
        let (_, took) = timed(async {
            tokio::select! {
                biased;
                () = probe(&breaker, true) => panic!("the call waited for the probe"),
                outcome = other(&breaker, &policy, &attempts) => outcome.unwrap_err(),
            }
        })
        .await;
        assert_eq!((took, attempts.count()), (ms(101), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn call_without_a_deadline_does_not_wait() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let policy = Policy::fixed(ms(10)).attempts(3);
        let call = async {
            let outcome = other(&breaker, &policy, &attempts).await;
            assert!(is_rejected(&outcome));
            tokio::time::Instant::now()
        };
        let start = tokio::time::Instant::now();
        let ((), ended) = tokio::join!(probe(&breaker, true), call);
        assert_eq!((ended - start, attempts.count()), (ms(1), 1));
    }

    /// `attempt_to_end` has no time limit, so nothing else would end the wait for a probe that hangs.
    #[tokio::test(start_paused = true)]
    async fn attempt_without_a_time_limit_checks_the_breaker_at_bounded_intervals() {
        let (breaker, attempts) = (half_open().await, Attempts::new());
        let policy = Policy::fixed(Duration::ZERO).unlimited().deadline(SECOND * 20);
        let hangs = breaker.call::<io::Result<()>>(pending());
        let call = async {
            sleep(ms(1)).await;
            let mut retry = Executor::new(&policy);
            loop {
                attempts.start();
                let outcome = retry.attempt_to_end(breaker.call(async { io::Result::Ok(1) })).await;
                match retry.next(outcome, &retry_runtime::Condition::new()) {
                    std::ops::ControlFlow::Break(outcome) => break outcome,
                    std::ops::ControlFlow::Continue(pause) => pause.await,
                }
            }
        };
        let (outcome, took) = timed(async {
            tokio::select! {
                _ = hangs => unreachable!("a pending future is never done"),
                outcome = call => outcome,
            }
        })
        .await;
        assert!(is_rejected(&outcome));
        assert!(took <= SECOND * 20 && attempts.count() < 12, "{} attempts in {took:?}", attempts.count());
    }

    #[tokio::test(start_paused = true)]
    async fn annotated_function_waits_for_the_probe() {
        static BREAKER: Breaker = opens_after_two();

        #[retry(breaker = BREAKER, backoff = "fixed", start = "10ms", deadline = "1m", bind = attempt)]
        async fn call(takes: Duration) -> io::Result<u32> {
            sleep(takes).await;
            Ok(attempt.number())
        }
        #[retry(breaker = BREAKER, backoff = "fixed", start = "10ms", deadline = "1m", bind = attempt, hedge = "20ms")]
        async fn hedged(takes: Duration) -> io::Result<u32> {
            sleep(takes).await;
            Ok(attempt.number())
        }
        open(&BREAKER).await;
        tokio::time::advance(SECOND * 5).await;
        let after = async |call: &dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = io::Result<u32>>>>| {
            sleep(ms(1)).await;
            timed(call()).await
        };
        let (probe, (other, took), (third, third_took)) =
            tokio::join!(call(ms(200)), after(&|| Box::pin(call(ms(5)))), after(&|| Box::pin(hedged(ms(5)))),);
        assert_eq!((probe.unwrap(), other.unwrap(), took), (1, 1, ms(204)));
        assert_eq!((third.unwrap(), third_took), (1, ms(204)));
    }

    #[test]
    fn blocking_function_waits_for_the_probe_of_another_thread() {
        static BREAKER: Breaker = opens_after_two().open_for(Duration::from_millis(1));
        static FINISHED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

        #[retry(breaker = BREAKER, blocking, attempts = 2, backoff = "fixed", start = "1ms", deadline = "10s")]
        fn call(takes: Duration, fails: bool) -> io::Result<()> {
            std::thread::sleep(takes);
            FINISHED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if fails { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
        }
        let _ = call(Duration::ZERO, true);
        assert_eq!((BREAKER.state(), FINISHED.load(std::sync::atomic::Ordering::Relaxed)), (BreakerState::Open, 2));
        std::thread::sleep(ms(5));
        std::thread::scope(|scope| {
            let probe = scope.spawn(|| call(ms(100), false));
            while BREAKER.state() != BreakerState::HalfOpen {
                std::thread::yield_now();
            }
            call(Duration::ZERO, false).unwrap();
            assert_eq!(BREAKER.state(), BreakerState::Closed);
            probe.join().unwrap().unwrap();
        });
        assert_eq!(FINISHED.load(std::sync::atomic::Ordering::Relaxed), 4);
    }

    #[test]
    fn blocking_function_waits_no_longer_than_its_deadline() {
        static BREAKER: Breaker = opens_after_two().open_for(Duration::from_millis(1));

        #[retry(breaker = BREAKER, blocking, backoff = "fixed", start = "1ms", deadline = "50ms")]
        fn call() -> io::Result<()> {
            Ok(())
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            open(&BREAKER).await;
            sleep(ms(5)).await;
        });
        let mut probe = Box::pin(BREAKER.call::<io::Result<()>>(pending()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(probe.as_mut().poll(&mut context).is_pending());
        let start = std::time::Instant::now();
        let error = call().unwrap_err();
        assert!(error.get_ref().unwrap().is::<BreakerOpen>());
        assert!(start.elapsed() >= ms(40) && start.elapsed() < SECOND * 5, "{:?}", start.elapsed());
    }
}
