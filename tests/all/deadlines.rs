//! Time limits: what cuts an attempt off, what it gives then, and which attempts are never started.

use std::error::Error;
use std::future::pending;
use std::io;
use std::time::Duration;

use retry_runtime::{Executor, Policy, TimedOut, retry};
use tokio::time::{sleep, timeout};

use crate::support::{Attempts, Recorder, SECOND, all_ms, ms, recorded_sleep, run, timed};

#[derive(Debug, PartialEq, thiserror::Error)]
enum Failed {
    #[error("no")]
    No,
    #[error(transparent)]
    Late(#[from] TimedOut),
}

impl Failed {
    /// Whether the deadline or the attempt timeout cut the attempt off, and what its length was.
    fn limit(&self) -> Option<(&'static str, Duration)> {
        match self {
            Self::No => None,
            Self::Late(late) => Some((if late.is_deadline() { "deadline" } else { "attempt" }, late.limit())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_cuts_a_running_attempt_off() {
    #[retry(deadline = "3s")]
    async fn call() -> Result<(), Failed> {
        pending().await
    }
    let (outcome, took) = timed(call()).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", SECOND * 3)));
    assert_eq!(took, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_earlier_attempts_and_delays() {
    #[retry(attempts = 5, backoff = "fixed", start = "1s", deadline = "5s", bind = attempt)]
    async fn call() -> Result<(), Failed> {
        if attempt.number() < 3 {
            sleep(ms(500)).await;
            return Err(Failed::No);
        }
        pending().await
    }
    let (outcome, took) = timed(call()).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", SECOND * 5)));
    assert_eq!(took, SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_timeout_cuts_each_attempt_off() {
    #[retry(attempts = 3, backoff = "fixed", start = "1s", attempt_timeout = "2s")]
    async fn call(attempts: &Attempts) -> Result<(), Failed> {
        attempts.start();
        pending().await
    }
    let attempts = Attempts::new();
    let (outcome, took) = timed(call(&attempts)).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("attempt", SECOND * 2)));
    assert_eq!(attempts.delays(), all_ms([3000, 3000]));
    assert_eq!(took, SECOND * 8);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_cut_off_is_dropped_before_the_pause() {
    struct Guard<'a>(&'a Attempts);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.start();
        }
    }
    #[retry(attempts = 2, start = "1s", attempt_timeout = "2s")]
    async fn call(dropped: &Attempts) -> Result<(), Failed> {
        let _guard = Guard(dropped);
        pending().await
    }
    let dropped = Attempts::new();
    let (_, took) = timed(call(&dropped)).await;
    assert_eq!((dropped.delays(), took), (all_ms([3000]), SECOND * 5));
}

#[tokio::test(start_paused = true)]
async fn of_both_limits_the_one_that_comes_first_cuts_off() {
    #[retry(attempts = 9, backoff = "fixed", start = "1s", attempt_timeout = "2s", deadline = "7s")]
    async fn call(attempts: &Attempts) -> Result<(), Failed> {
        attempts.start();
        pending().await
    }
    let attempts = Attempts::new();
    let (outcome, took) = timed(call(&attempts)).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", SECOND * 7)));
    assert_eq!((attempts.count(), took), (3, SECOND * 7));
}

/// The deadline of a call around may cut an inner attempt off.
#[tokio::test(start_paused = true)]
async fn the_error_names_the_deadline_of_the_call_around() {
    macro_rules! limit {
        ($outer:literal, $($inner:tt)*) => {{
            #[retry(attempts = 1, $($inner)*)]
            async fn inner() -> Result<(), Failed> {
                pending().await
            }
            #[retry(attempts = 1, deadline = $outer)]
            async fn outer() -> Result<(), Failed> {
                inner().await
            }
            let (outcome, took) = timed(outer()).await;
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains(&format!("{took:?}")), "{error}");
            (error.limit().unwrap(), took)
        }};
    }
    let (of_deadline, of_attempt) = (|limit| (("deadline", limit), limit), |limit| (("attempt", limit), limit));
    assert_eq!(limit!("1s", attempt_timeout = "10s"), of_deadline(SECOND));
    assert_eq!(limit!("1s", deadline = "10s"), of_deadline(SECOND));
    assert_eq!(limit!("1s", attempt_timeout = "10s", deadline = "20s"), of_deadline(SECOND));
    assert_eq!(limit!("9s", attempt_timeout = "2s"), of_attempt(SECOND * 2));
    assert_eq!(limit!("9s", attempt_timeout = "2s", deadline = "20s"), of_attempt(SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_quick_enough_is_left_alone() {
    #[retry(attempt_timeout = "2s", deadline = "3s")]
    async fn call() -> Result<&'static str, Failed> {
        sleep(ms(1999)).await;
        Ok("done")
    }
    assert_eq!(timed(call()).await, (Ok("done"), ms(1999)));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_that_the_deadline_leaves_no_time_for() {
    // Attempts at 0, 1 s and 3 s; the next one would be at 7 s.
    let run = run!((attempts = 9, start = "1s", deadline = "6s") Result<(), String>, Err("no".to_owned()));
    assert_eq!(run.delays, all_ms([1000, 2000]));
    assert_eq!(run.outcome, Err("no".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_would_start_at_the_deadline_does_not() {
    let at = run!((attempts = 9, start = "1s", deadline = "3s") Result<(), String>, Err(String::new()));
    assert_eq!(at.attempts, 2);
    let before = run!((attempts = 9, start = "1s", deadline = "3001ms") Result<(), String>, Err(String::new()));
    assert_eq!(before.attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn there_is_no_useless_wait_before_giving_up() {
    #[retry(attempts = 9, start = "1s", deadline = "2s", bind = attempt)]
    async fn call() -> Result<(), Failed> {
        if attempt.number() == 2 {
            sleep(ms(10)).await;
        }
        Err(Failed::No)
    }
    assert_eq!(timed(call()).await, (Err(Failed::No), ms(1010)));
}

#[tokio::test(start_paused = true)]
async fn the_last_error_comes_back_where_the_deadline_ends_the_retrying() {
    let recorder = Recorder::new();
    #[retry(attempts = 9, start = "1s", deadline = "2s", observer = recorder)]
    async fn call(recorder: &Recorder) -> Result<(), Failed> {
        Err(Failed::No)
    }
    assert_eq!(call(&recorder).await, Err(Failed::No));
    assert_eq!(recorder.lines().last().unwrap(), "2/9 GaveUp(Deadline)");
}

/// What an attempt that is cut off gives, for each error type that needs nothing to be written.
mod gives {
    use super::*;

    macro_rules! cut_off {
        ($output:ty) => {{
            #[retry(attempts = 1, attempt_timeout = "2s")]
            async fn call() -> $output {
                pending().await
            }
            call().await
        }};
    }

    #[tokio::test(start_paused = true)]
    async fn an_io_error() {
        let error = cut_off!(io::Result<()>).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.get_ref().unwrap().is::<TimedOut>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_string() {
        assert_eq!(cut_off!(Result<(), String>), Err("the attempt took longer than 2s".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn boxed_errors() {
        assert!(cut_off!(Result<(), Box<dyn Error>>).unwrap_err().is::<TimedOut>());
        assert!(cut_off!(Result<(), Box<dyn Error + Send + Sync>>).unwrap_err().is::<TimedOut>());
    }

    #[tokio::test(start_paused = true)]
    async fn anyhow() {
        assert!(cut_off!(anyhow::Result<()>).unwrap_err().is::<TimedOut>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reqwest_error() {
        let error = cut_off!(reqwest::Result<()>).unwrap_err();
        assert!(error.is_timeout());
        assert!(retry_runtime::outcome::transient_in_chain::<io::Error>(&error));
        let sources = std::iter::successors(error.source(), |&error| error.source());
        assert!(
            sources
                .filter_map(|error| error.downcast_ref::<io::Error>())
                .any(|error| error.get_ref().unwrap().is::<TimedOut>())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_ones_own() {
        assert_eq!(cut_off!(Result<(), Failed>).unwrap_err().limit(), Some(("attempt", SECOND * 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_for_an_option() {
        assert_eq!(cut_off!(Option<()>), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_of_ones_own() {
        #[derive(Debug, PartialEq)]
        struct Job(&'static str);
        impl retry_runtime::Retryable for Job {
            fn class(&self) -> retry_runtime::Class {
                retry_runtime::Class::Transient
            }
        }
        impl retry_runtime::outcome::FromTimedOut for Job {
            fn from_timed_out(_: TimedOut) -> Self {
                Self("late")
            }
        }
        assert_eq!(cut_off!(Job), Job("late"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_is_transient() {
    macro_rules! attempts {
        ($output:ty) => {{
            #[retry(attempts = 3, start = "1s", attempt_timeout = "2s", on_error = "transient")]
            async fn call(attempts: &Attempts) -> $output {
                attempts.start();
                pending().await
            }
            let attempts = Attempts::new();
            let _ = call(&attempts).await;
            attempts.count()
        }};
    }
    assert_eq!(attempts!(io::Result<()>), 3);
    assert_eq!(attempts!(reqwest::Result<()>), 3);
    assert_eq!(attempts!(anyhow::Result<()>), 3);
    assert_eq!(attempts!(Result<(), Box<dyn Error + Send + Sync>>), 3);
}

/// The macro cannot see what a policy says that is given at run time.
mod run_time_policy {
    use super::*;

    const LIMITED: Policy = Policy::fixed(SECOND).attempts(9).deadline(Duration::from_millis(2500));

    #[tokio::test(start_paused = true)]
    async fn with_the_conversion_attempts_are_cut_off() {
        #[retry(policy = LIMITED)]
        async fn call() -> Result<(), Failed> {
            pending().await
        }
        let (outcome, took) = timed(call()).await;
        assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", ms(2500))));
        assert_eq!(took, ms(2500));
    }

    #[tokio::test(start_paused = true)]
    async fn with_the_conversion_the_attempt_timeout_holds_too() {
        #[retry(policy = Policy::fixed(SECOND).attempts(2).attempt_timeout(SECOND * 2))]
        async fn call() -> Option<()> {
            pending().await
        }
        assert_eq!(timed(call()).await, (None, SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn without_it_the_deadline_only_stops_new_attempts() {
        #[retry(policy = LIMITED)]
        async fn call(attempts: &Attempts) -> Result<(), &'static str> {
            attempts.start();
            sleep(SECOND).await;
            Err("no")
        }
        let attempts = Attempts::new();
        let (outcome, took) = timed(call(&attempts)).await;
        assert_eq!((outcome, attempts.count(), took), (Err("no"), 2, SECOND * 3));
    }
}

/// A timer that ends as soon as it is asked, and says what it was asked for.
#[tokio::test]
async fn a_sleep_of_ones_own_is_the_timer_of_the_limits_too() {
    #[retry(attempts = 2, start = "1s", attempt_timeout = "2s", deadline = "9s", sleep = recorded_sleep)]
    async fn call() -> Result<(), Failed> {
        pending().await
    }
    let recorder = Recorder::new();
    let outcome = recorder.sleeps(call()).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("attempt", SECOND * 2)));
    assert_eq!(recorder.slept(), all_ms([2000, 1000, 2000]));
}

#[tokio::test]
async fn an_attempt_that_is_ready_at_once_arms_no_timer() {
    #[retry(attempts = 2, start = "1s", attempt_timeout = "2s", sleep = recorded_sleep)]
    async fn call() -> Result<(), Failed> {
        Err(Failed::No)
    }
    let recorder = Recorder::new();
    recorder.sleeps(call()).await.unwrap_err();
    assert_eq!(recorder.slept(), all_ms([1000]));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_starts_with_the_call_and_not_with_the_policy() {
    let policy = Policy::fixed(SECOND).attempts(9).deadline(ms(2500));
    #[retry(policy = policy)]
    async fn call(policy: &Policy, attempts: &Attempts) -> Result<(), String> {
        attempts.start();
        Err(String::new())
    }
    for _ in 0..2 {
        sleep(SECOND * 10).await;
        let attempts = Attempts::new();
        call(&policy, &attempts).await.unwrap_err();
        assert_eq!(attempts.count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_does_not_start_before_the_future_is_polled() {
    #[retry(attempts = 9, backoff = "fixed", start = "1s", deadline = "2500ms")]
    async fn call(attempts: &Attempts) -> Result<(), String> {
        attempts.start();
        Err(String::new())
    }
    let attempts = Attempts::new();
    let future = call(&attempts);
    sleep(SECOND * 10).await;
    future.await.unwrap_err();
    assert_eq!(attempts.count(), 3);
}

/// No time passes here, so each delay is held against the whole deadline: 1 s, 2 s, but not 4 s.
#[test]
fn under_blocking_the_deadline_only_stops_new_attempts() {
    fn no_time(_: Duration) {}
    #[retry(blocking, attempts = 9, start = "1s", deadline = "3s", sleep = no_time)]
    fn call(attempts: &Attempts) -> Result<(), &'static str> {
        attempts.start();
        Err("no")
    }
    let attempts = Attempts::new();
    assert_eq!((call(&attempts), attempts.count()), (Err("no"), 3));
}

mod by_hand {
    use super::*;

    async fn cut_off(policy: Policy) -> (Result<(), Failed>, u32) {
        let mut retry = Executor::new(&policy);
        loop {
            let number = retry.current().number();
            match retry.attempt(pending::<Result<(), Failed>>()).await {
                Ok(()) => unreachable!("a pending future is never done"),
                Err(error) => match retry.pause(error) {
                    Ok(pause) => pause.await,
                    Err(error) => return (Err(error), number),
                },
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_and_the_attempt_timeout_hold() {
        let both = Policy::fixed(SECOND).attempts(9).attempt_timeout(SECOND * 2).deadline(SECOND * 7);
        let ((outcome, attempts), took) = timed(cut_off(both)).await;
        assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", SECOND * 7)));
        assert_eq!((attempts, took), (3, SECOND * 7));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_to_end_is_not_cut_off() {
        let policy = Policy::fixed(SECOND).attempts(9).attempt_timeout(SECOND).deadline(SECOND * 4);
        let mut retry = Executor::new(&policy);
        let attempt = async {
            sleep(SECOND * 3).await;
            Err::<(), _>("no")
        };
        let error = timeout(SECOND * 9, retry.attempt_to_end(attempt)).await.unwrap().unwrap_err();
        assert_eq!(retry.current().remaining(), Some(SECOND));
        assert_eq!(retry.pause(error).unwrap_err(), "no");
    }

    #[tokio::test(start_paused = true)]
    async fn policy_run_is_cut_off() {
        let policy = Policy::fixed(SECOND).attempts(2).attempt_timeout(SECOND * 2);
        let (outcome, took) = timed(policy.run(|_| pending::<io::Result<()>>())).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(took, SECOND * 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_running_attempt_leaves_is_known() {
        let policy = Policy::fixed(SECOND).attempts(3).deadline(SECOND * 4);
        let mut retry = Executor::new(&policy);
        retry.attempt(async { Err::<(), String>(String::new()) }).await.unwrap_err();
        retry.pause("no").unwrap().await;
        let attempt = retry.current();
        assert_eq!((attempt.elapsed(), attempt.remaining()), (SECOND, Some(SECOND * 3)));
    }
}

/// Does all that its task may do at a time, again and again, so that tokio lets no timer of the task be ready.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_never_rests_is_cut_off() {
    #[retry(attempts = 1, attempt_timeout = "1s")]
    async fn call() -> Result<(), Failed> {
        loop {
            tokio::task::consume_budget().await;
        }
    }
    let clock = async {
        for _ in 0..50 {
            tokio::time::advance(ms(100)).await;
        }
    };
    tokio::select! {
        biased;
        outcome = call() => assert_eq!(outcome.unwrap_err().limit(), Some(("attempt", SECOND))),
        () = clock => panic!("the attempt went on for five seconds"),
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_where_a_pause_ended_after_the_deadline() {
    async fn sleeps_late(_: Duration) {
        sleep(SECOND * 60).await;
    }
    #[retry(start = "1s", deadline = "10s", sleep = sleeps_late)]
    async fn call(attempts: &Attempts) -> Result<u32, Failed> {
        attempts.succeed_at(2, Failed::No)
    }
    let attempts = Attempts::new();
    assert_eq!(call(&attempts).await.unwrap_err().limit(), Some(("deadline", SECOND * 10)));
    assert_eq!(attempts.count(), 1);
}

/// A timer that ends early ends the attempt with the limit that it was set to.
#[tokio::test]
async fn the_error_names_the_limit_that_the_timer_was_set_to() {
    const POLICY: Policy =
        Policy::fixed(SECOND).attempts(1).attempt_timeout(Duration::from_secs(9)).deadline(Duration::from_secs(2));
    #[retry(policy = POLICY, sleep = recorded_sleep)]
    async fn call() -> Result<(), Failed> {
        pending().await
    }
    let recorder = Recorder::new();
    assert_eq!(recorder.sleeps(call()).await.unwrap_err().limit(), Some(("deadline", SECOND * 2)));
}
