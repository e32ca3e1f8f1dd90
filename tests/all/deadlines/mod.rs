//! Deadlines and attempt timeouts: when an attempt is cut off, its outcome, and which attempts never start.

mod manual;

use std::error::Error;
use std::future::pending;
use std::io;
use std::time::Duration;

use retry_runtime::{Executor, Policy, TimedOut, retry};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Attempts, Recorder, SECOND, all_ms, ms, recorded_sleep, run, timed};

#[derive(Debug, PartialEq, thiserror::Error)]
enum Failed {
    #[error("no")]
    No,
    #[error(transparent)]
    Late(#[from] TimedOut),
}

impl Failed {
    /// The kind and the length of the limit that cut the attempt off.
    fn limit(&self) -> Option<(&'static str, Duration)> {
        match self {
            Self::No => None,
            Self::Late(late) => Some((if late.is_deadline() { "deadline" } else { "attempt" }, late.limit())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_cuts_a_running_attempt_off() {
    #[retry(deadline = "3s")]
    async fn call() -> Result<(), Failed> {
        pending().await
    }
    let (outcome, took) = timed(call()).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", SECOND * 3)));
    assert_eq!(took, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn deadline_includes_earlier_attempts_and_delays() {
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
async fn attempt_timeout_cuts_each_attempt_off() {
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
async fn attempt_that_is_cut_off_is_dropped_before_the_pause() {
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
async fn earlier_of_both_limits_cuts_off() {
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

/// The deadline of an outer call may cut an inner attempt off.
#[tokio::test(start_paused = true)]
async fn error_names_the_deadline_of_the_outer_call() {
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
async fn attempt_within_its_limits_is_not_cut_off() {
    #[retry(attempt_timeout = "2s", deadline = "3s")]
    async fn call() -> Result<&'static str, Failed> {
        sleep(ms(1999)).await;
        Ok("done")
    }
    assert_eq!(timed(call()).await, (Ok("done"), ms(1999)));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_after_the_deadline() {
    // Attempts at 0, 1 s and 3 s; the next one would be at 7 s.
    let run = run!((attempts = 9, start = "1s", deadline = "6s") Result<(), String>, Err("no".to_owned()));
    assert_eq!(run.delays, all_ms([1000, 2000]));
    assert_eq!(run.outcome, Err("no".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_exactly_at_the_deadline() {
    let at = run!((attempts = 9, start = "1s", deadline = "3s") Result<(), String>, Err(String::new()));
    assert_eq!(at.attempts, 2);
    let before = run!((attempts = 9, start = "1s", deadline = "3001ms") Result<(), String>, Err(String::new()));
    assert_eq!(before.attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn call_gives_up_without_a_useless_wait() {
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
async fn last_error_is_returned_when_the_deadline_ends_the_call() {
    let recorder = Recorder::new();
    #[retry(attempts = 9, start = "1s", deadline = "2s", observer = recorder)]
    async fn call(recorder: &Recorder) -> Result<(), Failed> {
        Err(Failed::No)
    }
    assert_eq!(call(&recorder).await, Err(Failed::No));
    assert_eq!(recorder.lines().last().unwrap(), "2/9 GaveUp(Deadline)");
}

/// The outcome of an attempt that is cut off, for each supported error type.
mod outcome_when_cut_off {
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
    async fn io_error() {
        let error = cut_off!(io::Result<()>).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.get_ref().unwrap().is::<TimedOut>());
    }

    #[tokio::test(start_paused = true)]
    async fn string() {
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
    async fn reqwest_error() {
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
    async fn custom_error() {
        assert_eq!(cut_off!(Result<(), Failed>).unwrap_err().limit(), Some(("attempt", SECOND * 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn none_for_an_option() {
        assert_eq!(cut_off!(Option<()>), None);
    }

    #[tokio::test(start_paused = true)]
    async fn custom_outcome() {
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
async fn attempt_that_is_cut_off_is_transient() {
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

/// The attribute cannot see the limits of a policy that is built at run time.
mod run_time_policy {
    use super::*;

    const LIMITED: Policy = Policy::fixed(SECOND).attempts(9).deadline(Duration::from_millis(2500));

    #[tokio::test(start_paused = true)]
    async fn attempts_are_cut_off_if_the_error_converts_from_timed_out() {
        #[retry(policy = LIMITED)]
        async fn call() -> Result<(), Failed> {
            pending().await
        }
        let (outcome, took) = timed(call()).await;
        assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", ms(2500))));
        assert_eq!(took, ms(2500));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_timeout_applies_if_the_outcome_converts_from_timed_out() {
        #[retry(policy = Policy::fixed(SECOND).attempts(2).attempt_timeout(SECOND * 2))]
        async fn call() -> Option<()> {
            pending().await
        }
        assert_eq!(timed(call()).await, (None, SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_only_stops_new_attempts_without_the_conversion() {
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

/// The sleep records its delays and returns at once.
#[tokio::test]
async fn custom_sleep_is_also_the_timer_of_the_limits() {
    #[retry(attempts = 2, start = "1s", attempt_timeout = "2s", deadline = "9s", sleep = recorded_sleep)]
    async fn call() -> Result<(), Failed> {
        pending().await
    }
    let recorder = Recorder::new();
    let outcome = recorder.record_sleeps(call()).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("attempt", SECOND * 2)));
    assert_eq!(recorder.slept(), all_ms([2000, 1000, 2000]));
}

#[tokio::test]
async fn attempt_that_is_ready_at_once_starts_no_timer() {
    #[retry(attempts = 2, start = "1s", attempt_timeout = "2s", sleep = recorded_sleep)]
    async fn call() -> Result<(), Failed> {
        Err(Failed::No)
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(call()).await.unwrap_err();
    assert_eq!(recorder.slept(), all_ms([1000]));
}

#[tokio::test(start_paused = true)]
async fn deadline_starts_with_the_call_and_not_with_the_policy() {
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
async fn deadline_starts_with_the_first_poll() {
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

/// No time passes here, so each delay is compared with the whole deadline: 1 s and 2 s fit, 4 s does not.
#[test]
fn deadline_only_stops_new_attempts_of_blocking_functions() {
    fn no_time(_: Duration) {}
    #[retry(blocking, attempts = 9, start = "1s", deadline = "3s", sleep = no_time)]
    fn call(attempts: &Attempts) -> Result<(), &'static str> {
        attempts.start();
        Err("no")
    }
    let attempts = Attempts::new();
    assert_eq!((call(&attempts), attempts.count()), (Err("no"), 3));
}

/// The attempt uses up tokio's cooperative budget in a loop, so that no timer of its task becomes ready.
async fn never_yields() -> Result<(), Failed> {
    loop {
        tokio::task::consume_budget().await;
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_that_never_yields_is_cut_off() {
    #[retry(attempts = 1, attempt_timeout = "1s")]
    async fn with_timeout() -> Result<(), Failed> {
        never_yields().await
    }
    #[retry(attempts = 1, deadline = "1s")]
    async fn with_deadline() -> Result<(), Failed> {
        never_yields().await
    }
    async fn cut_off(call: impl Future<Output = Result<(), Failed>>) -> (Failed, Duration) {
        let clock = async {
            for _ in 0..50 {
                tokio::time::advance(ms(100)).await;
            }
        };
        let start = Instant::now();
        tokio::select! {
            biased;
            outcome = call => (outcome.unwrap_err(), start.elapsed()),
            () = clock => panic!("the attempt ran for five seconds"),
        }
    }
    let (error, took) = cut_off(with_timeout()).await;
    assert_eq!((error.limit(), took), (Some(("attempt", SECOND)), SECOND));
    let (error, took) = cut_off(with_deadline()).await;
    assert_eq!((error.limit(), took), (Some(("deadline", SECOND)), SECOND));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_if_the_pause_ends_after_the_deadline() {
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

/// If the timer ends early, the error still names the limit that the timer was set to.
#[tokio::test]
async fn error_names_the_limit_of_the_timer() {
    const POLICY: Policy =
        Policy::fixed(SECOND).attempts(1).attempt_timeout(Duration::from_secs(9)).deadline(Duration::from_secs(2));
    #[retry(policy = POLICY, sleep = recorded_sleep)]
    async fn call() -> Result<(), Failed> {
        pending().await
    }
    let recorder = Recorder::new();
    assert_eq!(recorder.record_sleeps(call()).await.unwrap_err().limit(), Some(("deadline", SECOND * 2)));
}
