//! Events as an observer receives them.

use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use retry_runtime::{Retryable, retry};
use tokio::time::{sleep, timeout};

use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, ms, recorded_sleep};

#[retry(attempts = 3, start = "1s", observer = recorder, name = "call")]
async fn call(recorder: &Recorder, attempts: &Attempts, succeed_at: u32, error: Fault) -> Result<u32, Fault> {
    attempts.succeed_at(succeed_at, error)
}

#[tokio::test(start_paused = true)]
async fn success_emits_two_events() {
    let recorder = Recorder::new();
    call(&recorder, &Attempts::new(), 1, Fault::UNKNOWN).await.unwrap();
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Succeeded"]);
    assert_eq!(recorder.names(), ["call", "call"]);
}

#[tokio::test(start_paused = true)]
async fn success_after_retries_emits_all_events_in_order() {
    let recorder = Recorder::new();
    call(&recorder, &Attempts::new(), 3, Fault::status(503)).await.unwrap();
    assert_eq!(
        recorder.lines(),
        [
            "1/3 AttemptStarted",
            "1/3 AttemptFailed { class: Transient, status: Some(503), reason: fault }",
            "1/3 Waiting { delay: 1s, source: Backoff }",
            "2/3 AttemptStarted",
            "2/3 AttemptFailed { class: Transient, status: Some(503), reason: fault }",
            "2/3 Waiting { delay: 2s, source: Backoff }",
            "3/3 AttemptStarted",
            "3/3 Succeeded",
        ]
    );
    assert_eq!(recorder.elapsed(), all_ms([0, 0, 0, 1000, 1000, 1000, 3000, 3000]));
}

#[tokio::test(start_paused = true)]
async fn last_failed_attempt_is_followed_by_gave_up() {
    let recorder = Recorder::new();
    call(&recorder, &Attempts::new(), 9, Fault::UNKNOWN).await.unwrap_err();
    let lines = recorder.lines();
    assert_eq!(lines.len(), 3 * 3);
    assert_eq!(lines[7], "3/3 AttemptFailed { class: Unknown, status: None, reason: fault }");
    assert_eq!(lines[8], "3/3 GaveUp(Exhausted)");
}

#[tokio::test(start_paused = true)]
async fn permanent_failure_is_followed_by_gave_up() {
    let recorder = Recorder::new();
    call(&recorder, &Attempts::new(), 9, Fault::PERMANENT).await.unwrap_err();
    assert_eq!(
        recorder.lines(),
        [
            "1/3 AttemptStarted",
            "1/3 AttemptFailed { class: Permanent, status: None, reason: fault }",
            "1/3 GaveUp(Permanent)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_event_names_the_server_as_the_source_of_its_delay() {
    let recorder = Recorder::new();
    call(&recorder, &Attempts::new(), 2, Fault::TRANSIENT.after(SECOND * 7)).await.unwrap();
    assert_eq!(recorder.lines()[2], "1/3 Waiting { delay: 7s, source: Server }");
    call(&recorder, &Attempts::new(), 2, Fault::TRANSIENT.after(ms(7))).await.unwrap();
    assert_eq!(recorder.lines()[2], "1/3 Waiting { delay: 1s, source: Backoff }");
    call(&recorder, &Attempts::new(), 2, Fault::TRANSIENT.after(SECOND * 61)).await.unwrap_err();
    assert_eq!(recorder.lines()[2..], ["1/3 GaveUp(ServerDelay(61s))"]);
}

#[tokio::test(start_paused = true)]
async fn gave_up_names_the_deadline() {
    #[retry(attempts = 3, start = "1s", deadline = "2s", observer = recorder, bind = attempt)]
    async fn limited(recorder: &Recorder, hang_at: u32) -> Result<(), String> {
        if attempt.number() == hang_at { pending().await } else { Err("no".to_owned()) }
    }
    let recorder = Recorder::new();
    limited(&recorder, 2).await.unwrap_err();
    assert_eq!(
        recorder.lines()[3..],
        [
            "2/3 AttemptStarted",
            "2/3 AttemptFailed { class: Unknown, status: None, \
             reason: the deadline of 2s passed while the attempt ran }",
            "2/3 GaveUp(Deadline)",
        ]
    );
    limited(&recorder, 9).await.unwrap_err();
    assert_eq!(recorder.lines()[5..], ["2/3 GaveUp(Deadline)"]);
}

#[tokio::test(start_paused = true)]
async fn gave_up_names_the_deadline_if_it_cuts_off_the_last_attempt() {
    #[retry(attempts = 1, deadline = "2s", observer = recorder)]
    async fn last(recorder: &Recorder) -> Result<(), String> {
        pending().await
    }
    let recorder = Recorder::new();
    last(&recorder).await.unwrap_err();
    assert_eq!(recorder.lines()[2], "1/1 GaveUp(Deadline)");
}

#[tokio::test(start_paused = true)]
async fn dropped_call_emits_one_cancelled_event() {
    #[retry(attempts = 3, start = "1s", observer = recorder)]
    async fn slow(recorder: &Recorder) -> Result<(), &'static str> {
        sleep(SECOND).await;
        Err("no")
    }
    for (after, at) in
        [(500, "1/3 Cancelled"), (1500, "1/3 Cancelled"), (2500, "2/3 Cancelled"), (3500, "2/3 Cancelled")]
    {
        let recorder = Recorder::new();
        timeout(ms(after), slow(&recorder)).await.unwrap_err();
        let lines = recorder.lines();
        assert_eq!(lines.last().unwrap(), at, "after {after} ms");
        assert_eq!(lines.iter().filter(|line| line.contains("Cancelled")).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn unpolled_call_emits_no_event() {
    let recorder = Recorder::new();
    drop(call(&recorder, &Attempts::new(), 1, Fault::UNKNOWN));
    assert_eq!(recorder.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn panic_emits_no_cancelled_event() {
    #[retry(observer = recorder)]
    async fn panics(recorder: &Recorder) -> Result<(), &'static str> {
        panic!("on purpose")
    }
    let recorder = Recorder::new();
    let task = tokio::spawn({
        let recorder = recorder.clone();
        async move { panics(&recorder).await }
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted"]);
}

#[test]
fn panic_in_a_blocking_attempt_emits_no_cancelled_event() {
    #[retry(blocking, observer = recorder)]
    fn panics(recorder: &Recorder) -> Result<(), &'static str> {
        panic!("on purpose")
    }
    let recorder = Recorder::new();
    std::panic::catch_unwind(AssertUnwindSafe(|| panics(&recorder))).unwrap_err();
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted"]);
}

#[tokio::test]
async fn waiting_event_comes_before_the_sleep_and_has_its_delay() {
    #[retry(
        attempts = 3, start = "1s", jitter = "full", sleep = recorded_sleep, observer = recorder
    )]
    async fn jittered(recorder: &Recorder) -> Result<(), &'static str> {
        Err("no")
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(jittered(&recorder)).await.unwrap_err();
    let lines = recorder.lines();
    let slept: Vec<Duration> = recorder.slept();
    for (at, delay) in [(2, slept[0]), (6, slept[1])] {
        assert!(lines[at].ends_with(&format!("Waiting {{ delay: {delay:?}, source: Backoff }}")), "{lines:#?}");
        assert_eq!(lines[at + 1], format!("slept {delay:?}"));
    }
    assert_eq!(slept.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn events_of_an_unlimited_policy_have_no_number_of_attempts() {
    #[retry(attempts = "unlimited", start = "0s", observer = recorder)]
    async fn unlimited(recorder: &Recorder, attempts: &Attempts) -> Result<u32, &'static str> {
        attempts.succeed_at(2, "no")
    }
    let recorder = Recorder::new();
    unlimited(&recorder, &Attempts::new()).await.unwrap();
    assert_eq!(recorder.lines()[3..], ["2/- AttemptStarted", "2/- Succeeded"]);
}

/// Without an observer, even the reason is not formatted.
#[tokio::test(start_paused = true)]
async fn error_is_not_formatted_without_an_observer() {
    thread_local!(static SHOWN: Cell<u32> = const { Cell::new(0) });

    #[derive(Debug)]
    struct Counting;
    impl fmt::Display for Counting {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            SHOWN.set(SHOWN.get() + 1);
            f.write_str("shown")
        }
    }
    #[retry(attempts = 3)]
    async fn unobserved() -> Result<(), Counting> {
        Err(Counting)
    }
    #[retry(attempts = 3, observer = recorder)]
    async fn observed(recorder: &Recorder) -> Result<(), Counting> {
        Err(Counting)
    }
    SHOWN.set(0);
    unobserved().await.unwrap_err();
    assert_eq!(SHOWN.get(), 0);
    observed(&Recorder::new()).await.unwrap_err();
    assert_eq!(SHOWN.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn each_failure_is_classified_once() {
    thread_local!(static CLASSIFIED: Cell<u32> = const { Cell::new(0) });
    struct Counted;
    impl Retryable for Counted {
        fn class(&self) -> retry_runtime::Class {
            CLASSIFIED.set(CLASSIFIED.get() + 1);
            retry_runtime::Class::Transient
        }
    }
    #[retry(attempts = 3)]
    async fn call() -> Result<(), Counted> {
        Err(Counted)
    }
    CLASSIFIED.set(0);
    assert!(call().await.is_err());
    assert_eq!(CLASSIFIED.get(), 3);
}
