//! Calls that are dropped at each of their await points.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use retry_runtime::{Executor, Policy, retry};
use tokio::time::{sleep, timeout};

use crate::support::{Attempts, Recorder, SECOND, ms};

/// Polls once, with a waker that does nothing.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts the attempts that began, and the bodies that were dropped.
#[derive(Default)]
struct Counts {
    began: Attempts,
    dropped: Attempts,
}

impl Counts {
    fn both(&self) -> (u32, u32) {
        (self.began.count(), self.dropped.count())
    }
}

struct Guard<'a>(&'a Attempts);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.start();
    }
}

/// Each attempt waits one second twice, and then fails.
#[retry(attempts = 3, backoff = "fixed", start = "1s", observer = recorder)]
async fn slow(recorder: &Recorder, counts: &Counts) -> Result<(), &'static str> {
    counts.began.start();
    let _guard = Guard(&counts.dropped);
    sleep(SECOND).await;
    sleep(SECOND).await;
    Err("no")
}

/// Drops a call after this many milliseconds. Returns how many attempts began and were dropped, and the events.
async fn dropped_after(milliseconds: u64) -> ((u32, u32), Vec<String>) {
    let (recorder, counts) = (Recorder::new(), Counts::default());
    timeout(ms(milliseconds), slow(&recorder, &counts)).await.unwrap_err();
    (counts.both(), recorder.lines())
}

#[tokio::test(start_paused = true)]
async fn unpolled_call_does_nothing() {
    let (recorder, counts) = (Recorder::new(), Counts::default());
    drop(slow(&recorder, &counts));
    assert_eq!((counts.both(), recorder.lines().len()), ((0, 0), 0));
}

#[tokio::test(start_paused = true)]
async fn call_dropped_after_its_first_poll_drops_the_attempt() {
    let (recorder, counts) = (Recorder::new(), Counts::default());
    {
        let mut call = pin!(slow(&recorder, &counts));
        assert!(poll(call.as_mut()).is_pending());
        assert_eq!(counts.both(), (1, 0));
    }
    assert_eq!(counts.both(), (1, 1));
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn call_dropped_at_the_second_await_drops_the_attempt() {
    let (counts, lines) = dropped_after(1500).await;
    assert_eq!(counts, (1, 1));
    assert_eq!(lines, ["1/3 AttemptStarted", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn call_dropped_in_a_pause_has_no_attempt_to_drop() {
    let (counts, lines) = dropped_after(2500).await;
    assert_eq!(counts, (1, 1));
    assert_eq!(lines[2..], ["1/3 Waiting { delay: 1s, source: Backoff }", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn call_dropped_in_the_second_attempt_or_the_pause_after_it_is_cancelled() {
    let (counts, lines) = dropped_after(3500).await;
    assert_eq!(counts, (2, 2));
    assert_eq!(lines[3..], ["2/3 AttemptStarted", "2/3 Cancelled"]);
    let (counts, lines) = dropped_after(5500).await;
    assert_eq!(counts, (2, 2));
    assert_eq!(lines[5..], ["2/3 Waiting { delay: 1s, source: Backoff }", "2/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn finished_call_is_not_cancelled() {
    let (recorder, counts) = (Recorder::new(), Counts::default());
    {
        let mut call = pin!(slow(&recorder, &counts));
        let outcome = poll_fn(|cx| call.as_mut().poll(cx)).await;
        assert_eq!(outcome, Err("no"));
    }
    assert_eq!(recorder.lines().last().unwrap(), "3/3 GaveUp(Exhausted)");
}

#[tokio::test(start_paused = true)]
async fn aborted_task_emits_cancelled() {
    let recorder = Recorder::new();
    let task = tokio::spawn({
        let recorder = recorder.clone();
        async move { slow(&recorder, &Counts::default()).await }
    });
    sleep(ms(500)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn call_dropped_in_a_pause_of_zero_is_cancelled() {
    #[retry(start = "0s", observer = recorder)]
    async fn call(recorder: &Recorder) -> Result<(), &'static str> {
        Err("no")
    }
    let recorder = Recorder::new();
    {
        let mut call = pin!(call(&recorder));
        assert!(poll(call.as_mut()).is_pending());
    }
    assert_eq!(recorder.lines()[2..], ["1/3 Waiting { delay: 0ns, source: Backoff }", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn attempt_with_a_time_limit_is_cancelled() {
    #[retry(attempt_timeout = "5s", observer = recorder)]
    async fn call(recorder: &Recorder) -> Result<(), String> {
        pending().await
    }
    let recorder = Recorder::new();
    timeout(SECOND, call(&recorder)).await.unwrap_err();
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
    timeout(ms(5050), call(&recorder)).await.unwrap_err();
    assert_eq!(recorder.lines().iter().filter(|line| line.contains("Cancelled")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn dropped_call_drops_its_arguments() {
    #[retry]
    async fn call(held: std::sync::Arc<()>) -> Result<(), &'static str> {
        let _held = &held;
        pending().await
    }
    let held = std::sync::Arc::new(());
    timeout(SECOND, call(held.clone())).await.unwrap_err();
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
}

mod manual {
    use super::*;

    /// `select!` drops the attempt. The executor is still alive and makes the next one.
    #[tokio::test(start_paused = true)]
    async fn attempt_dropped_by_select_does_not_end_the_loop() {
        let (recorder, policy) = (Recorder::new(), Policy::fixed(SECOND));
        let mut retry = Executor::new(&policy).observer(&*recorder);
        tokio::select! {
            () = retry.attempt_to_end(pending()) => unreachable!("a pending future is never done"),
            () = sleep(SECOND) => {}
        }
        retry.pause("too slow").unwrap().await;
        let number = retry.current().number();
        let value = retry.attempt_to_end(async { number }).await;
        assert_eq!(retry.succeed(value), 2);
        drop(retry);
        assert_eq!(
            recorder.lines(),
            [
                "1/3 AttemptStarted",
                "1/3 AttemptFailed { class: Unknown, status: None, reason: too slow }",
                "1/3 Waiting { delay: 1s, source: Backoff }",
                "2/3 AttemptStarted",
                "2/3 Succeeded",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn pause_dropped_by_select_is_followed_by_the_next_attempt() {
        let (recorder, policy) = (Recorder::new(), Policy::fixed(SECOND * 60));
        let mut retry = Executor::new(&policy).observer(&*recorder);
        retry.attempt_to_end(async {}).await;
        tokio::select! {
            () = retry.pause("no").unwrap() => unreachable!("a minute is longer than a second"),
            () = sleep(SECOND) => {}
        }
        retry.attempt_to_end(async {}).await;
        retry.succeed(());
        drop(retry);
        assert_eq!(recorder.lines()[3..], ["2/3 AttemptStarted", "2/3 Succeeded"]);
    }

    #[tokio::test(start_paused = true)]
    async fn executor_dropped_in_an_attempt_or_a_pause_emits_cancelled() {
        let (recorder, policy) = (Recorder::new(), Policy::fixed(SECOND));
        let mut retry = Executor::new(&policy).observer(&*recorder);
        assert!(poll(pin!(retry.attempt_to_end(pending::<()>()))).is_pending());
        drop(retry);
        assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
        let mut retry = Executor::new(&policy).observer(&*recorder);
        retry.attempt_to_end(async {}).await;
        assert!(poll(pin!(retry.pause("no").unwrap())).is_pending());
        drop(retry);
        assert_eq!(recorder.lines().last().unwrap(), "1/3 Cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn executor_dropped_between_a_pause_and_its_attempt_emits_cancelled() {
        let (recorder, policy) = (Recorder::new(), Policy::fixed(SECOND));
        let mut retry = Executor::new(&policy).observer(&*recorder);
        retry.attempt_to_end(async {}).await;
        retry.pause("no").unwrap().await;
        drop(retry);
        assert_eq!(recorder.lines()[2..], ["1/3 Waiting { delay: 1s, source: Backoff }", "1/3 Cancelled"]);
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_policy_run_drops_its_attempt() {
        let counts = Counts::default();
        let policy = Policy::new();
        let run = policy.run(|_| async {
            counts.began.start();
            let _guard = Guard(&counts.dropped);
            pending::<Option<()>>().await
        });
        timeout(SECOND, run).await.unwrap_err();
        assert_eq!(counts.both(), (1, 1));
    }
}
