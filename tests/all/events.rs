//! Events: their content and order, as an [`Observer`](retry_runtime::Observer) and `tracing` receive them.

use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use retry_runtime::{Executor, Policy, Retryable, TimedOut, retry};
use tokio::time::{sleep, timeout};

use crate::support::{Attempts, FakeResponse, Fault, Recorder, SECOND, all_ms, ms, recorded_sleep};

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
    recorder.sleeps(jittered(&recorder)).await.unwrap_err();
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

/// The text of a failure.
mod reason {
    use super::*;

    macro_rules! reason {
        ($output:ty, $outcome:expr $(, $($arguments:tt)*)?) => {{
            #[retry(attempts = 1, observer = recorder $(, $($arguments)*)?)]
            async fn call(recorder: &Recorder) -> $output {
                $outcome
            }
            let recorder = Recorder::new();
            let _ = call(&recorder).await;
            let failed = recorder.lines().swap_remove(1);
            failed.split_once("reason: ").unwrap().1.trim_end_matches(" }").to_owned()
        }};
    }

    #[derive(Debug)]
    struct Debugged(#[expect(dead_code, reason = "used by `Debug`")] u32);

    struct Bare;

    #[tokio::test]
    async fn reason_is_display_or_debug_or_the_type_name() {
        assert_eq!(reason!(Result<(), Fault>, Err(Fault::UNKNOWN)), "fault");
        assert_eq!(reason!(Result<(), Debugged>, Err(Debugged(7))), "Debugged(7)");
        assert_eq!(reason!(Result<(), Bare>, Err(Bare)), "all::events::reason::Bare");
    }

    #[tokio::test]
    async fn reason_of_a_response_is_its_status() {
        assert_eq!(reason!(Result<FakeResponse, Fault>, Ok(FakeResponse(503))), "status 503");
        assert_eq!(reason!(FakeResponse, FakeResponse(503)), "status 503");
        assert_eq!(reason!(Option<u32>, None), "no value");
        assert_eq!(reason!(Result<u32, Fault>, Ok(1), on_ok = |_| true), "`on_ok` asks for another attempt");
    }

    #[tokio::test]
    async fn reason_hides_secrets_in_urls() {
        let shown =
            reason!(Result<(), String>, Err("for url (https://user:pw@host/path?key=secret) and more".to_owned()));
        assert_eq!(shown, "for url (https://***@host/path?***) and more");
    }

    #[tokio::test(start_paused = true)]
    async fn reason_hides_secrets_in_manual_loops() {
        let recorder = Recorder::new();
        let policy = Policy::new();
        let mut retry = Executor::new(&policy).observer(&*recorder);
        let _ = retry.pause("https://user:pw@host/?key=secret");
        let _ = retry.fail("https://user:pw@host/?key=secret");
        let lines = recorder.lines().join("\n");
        assert!(!lines.contains("pw") && !lines.contains("secret"), "{lines}");
        assert_eq!(lines.matches("https://***@host/?***").count(), 2);
    }
}

/// The `Display` text of each event.
#[test]
fn event_displays_as_one_readable_line() {
    struct Lines(std::sync::Mutex<Vec<String>>);
    impl retry_runtime::Observer for Lines {
        fn on_event(&self, event: &retry_runtime::Event<'_>) {
            self.0.lock().unwrap().push(event.to_string());
        }
    }
    let lines = Lines(Default::default());
    let policy = Policy::fixed(SECOND).attempts(2);
    let mut retry = Executor::new(&policy).observer(&lines);
    let error = retry.attempt_blocking(|| "no");
    retry.pause(error).unwrap().block_with(|_| ());
    let error = retry.attempt_blocking(|| "no");
    assert_eq!(retry.pause(error).unwrap_err(), "no");
    drop(retry);
    let expected = [
        "attempt 1 of 2 starts",
        "attempt 1 of 2 failed: no",
        "next attempt in 1s",
        "attempt 2 of 2 starts",
        "attempt 2 of 2 failed: no",
        "gave up after attempt 2 of 2: no attempt is left",
    ];
    assert_eq!(*lines.0.lock().unwrap(), expected);
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

/// Events and spans for `tracing`.
mod tracing {
    use std::collections::BTreeMap;

    use ::tracing::Instrument;
    use ::tracing::level_filters::LevelFilter;

    use super::*;
    use crate::trace::{Seen, record};

    #[retry(attempts = 3, start = "1s", name = "traced")]
    async fn traced(attempts: &Attempts) -> Result<u32, Fault> {
        ::tracing::info!(target: "body", "inside");
        attempts.succeed_at(3, Fault::status(503))
    }

    #[tokio::test(start_paused = true)]
    async fn tracing_receives_the_same_events_as_an_observer() {
        let (seen, _guard) = record();
        traced(&Attempts::new()).await.unwrap();
        let events: Vec<_> = seen
            .events()
            .into_iter()
            .filter(|event| event.target == "retry")
            .map(|event| (event.level, event.message))
            .collect();
        let expected = [
            ("TRACE", "attempt 1 of 3 starts"),
            ("INFO", "attempt 1 of 3 failed: fault"),
            ("INFO", "next attempt in 1s"),
            ("DEBUG", "attempt 2 of 3 starts"),
            ("INFO", "attempt 2 of 3 failed: fault"),
            ("INFO", "next attempt in 2s"),
            ("DEBUG", "attempt 3 of 3 starts"),
            ("INFO", "attempt 3 of 3 succeeded"),
        ];
        assert_eq!(events, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
    }

    fn field(events: &[Seen], at: usize, name: &str) -> Option<String> {
        events[at].fields.get(name).cloned()
    }

    #[tokio::test(start_paused = true)]
    async fn events_have_fields() {
        let (seen, _guard) = record();
        traced(&Attempts::new()).await.unwrap();
        let mut events = seen.events();
        events.retain(|event| event.target == "retry");
        assert!(events.iter().all(|event| event.fields["attempts"] == "3"));
        assert_eq!(field(&events, 1, "class").as_deref(), Some("transient"));
        assert_eq!(field(&events, 1, "http.response.status_code").as_deref(), Some("503"));
        assert_eq!(field(&events, 2, "delay").as_deref(), Some("1s"));
        assert_eq!(field(&events, 5, "elapsed").as_deref(), Some("1s"));
    }

    /// An event does not repeat the fields of its span.
    #[tokio::test(start_paused = true)]
    async fn event_without_a_span_has_a_name_and_a_number() {
        for (level, expected) in [(LevelFilter::TRACE, None), (LevelFilter::WARN, Some("traced"))] {
            let (seen, _guard) = crate::trace::record_up_to(level);
            always_fails(&Attempts::new()).await.unwrap_err();
            let last = seen.events().pop().unwrap();
            assert_eq!(last.fields.get("name").map(String::as_str), expected, "{level}");
            assert_eq!(last.fields.get("attempt").map(String::as_str), Some("3"), "the span of the attempt is closed");
            assert_eq!(last.span.is_none(), expected.is_some(), "{level}");
        }
    }

    #[retry(attempts = 3, start = "1s", name = "traced")]
    async fn always_fails(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(9, Fault::status(503))
    }

    #[tokio::test(start_paused = true)]
    async fn success_is_trace_and_giving_up_is_warn() {
        #[retry(attempts = 1)]
        async fn once(fail: bool) -> Result<(), &'static str> {
            if fail { Err("no") } else { Ok(()) }
        }
        let (seen, _guard) = record();
        once(false).await.unwrap();
        once(true).await.unwrap_err();
        let levels: Vec<_> = seen.events().into_iter().map(|event| (event.level, event.message)).collect();
        assert_eq!(levels[1], ("TRACE".to_owned(), "attempt 1 of 1 succeeded".to_owned()));
        assert_eq!(levels[4], ("WARN".to_owned(), "gave up after attempt 1 of 1: no attempt is left".to_owned()));
        assert_eq!(seen.events()[4].fields["why"], "exhausted");
    }

    #[tokio::test(start_paused = true)]
    async fn giving_up_without_a_retry_is_info() {
        #[retry(attempts = 3)]
        async fn call(attempts: &Attempts, permanent_at: u32) -> Result<u32, Fault> {
            Err(if attempts.start() == permanent_at { Fault::PERMANENT } else { Fault::TRANSIENT })
        }
        for (permanent_at, level) in [(1, "INFO"), (2, "WARN")] {
            let (seen, _guard) = record();
            call(&Attempts::new(), permanent_at).await.unwrap_err();
            let last = seen.events().pop().unwrap();
            assert!(last.message.starts_with("gave up"), "{}", last.message);
            assert_eq!(last.level, level);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_has_a_span() {
        let (seen, _guard) = record();
        traced(&Attempts::new()).await.unwrap();
        let inside: Vec<_> = seen.events().into_iter().filter(|event| event.target == "body").collect();
        assert_eq!(inside.len(), 3);
        for (number, event) in (1..).zip(inside) {
            let span = event.span.expect("the body runs in a span");
            assert_eq!((span.target.as_str(), span.name.as_str()), ("retry", "attempt"));
            assert_eq!(span.fields["attempt"], number.to_string());
            let resent = (number > 1).then(|| (number - 1).to_string());
            assert_eq!(span.fields.get("http.request.resend_count"), resent.as_ref());
        }
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_spans_are_inside_the_call_span() {
        let (seen, _guard) = record();
        traced(&Attempts::new()).instrument(::tracing::info_span!("handler")).await.unwrap();
        let spans = seen.spans();
        let names: Vec<_> = spans.iter().map(|span| (span.name.as_str(), span.parent.as_deref().unwrap())).collect();
        let attempt = ("attempt", "retry");
        assert_eq!(names, [attempt, attempt, attempt, ("retry", "handler")]);
        let failed = [("error.type", "503"), ("http.response.status_code", "503"), ("otel.status_code", "ERROR")];
        let [status, error, otel] = failed;
        assert_eq!(spans[0].fields, pairs([("attempt", "1"), status, error, otel]));
        assert_eq!(spans[2].fields, pairs([("attempt", "3"), ("http.request.resend_count", "2")]));
        assert_eq!(spans[3].fields, pairs([("name", "traced"), ("attempts_made", "3")]));
    }

    #[tokio::test(start_paused = true)]
    async fn call_span_names_the_reason_to_give_up() {
        let (seen, _guard) = record();
        always_fails(&Attempts::new()).await.unwrap_err();
        let error =
            [("attempts_made", "3"), ("error.type", "exhausted"), ("name", "traced"), ("otel.status_code", "ERROR")];
        assert_eq!(seen.spans().pop().unwrap().fields, pairs(error));
    }

    #[tokio::test(start_paused = true)]
    async fn events_belong_to_the_span_of_their_attempt_or_call() {
        let (seen, _guard) = record();
        always_fails(&Attempts::new()).await.unwrap_err();
        let spans: Vec<_> = seen.events().into_iter().map(|event| event.span.unwrap().name).collect();
        let cycle = ["attempt", "attempt", "retry"];
        assert_eq!(spans, [cycle, cycle, cycle].concat());
    }

    /// In a loop by hand, the call span ends with the call, and an attempt span ends when the loop reports the outcome.
    #[tokio::test(start_paused = true)]
    async fn manual_loop_has_the_same_spans() {
        let (seen, _guard) = record();
        let policy = Policy::fixed(SECOND).attempts(2);
        let mut retry = Executor::new(&policy).name("by hand");
        let failed = retry.attempt_to_end(async { "busy" }).await;
        retry.pause(failed).unwrap().await;
        retry.attempt_to_end(async {}).await;
        retry.succeed(());
        drop(retry);
        let names: Vec<_> = seen.spans().into_iter().map(|span| (span.name, span.fields.len())).collect();
        assert_eq!(names, [("attempt".to_owned(), 3), ("attempt".to_owned(), 2), ("retry".to_owned(), 2)]);
        let spans: Vec<_> = seen.events().into_iter().map(|event| event.span.unwrap().name).collect();
        assert_eq!(spans, ["attempt", "attempt", "retry", "attempt", "attempt"]);
    }

    async fn logging_sleep(_: Duration) {
        ::tracing::info!(target: "body", "in the pause");
    }

    #[tokio::test]
    async fn pause_is_outside_the_attempt_span() {
        #[retry(attempts = 2, start = "1s", sleep = logging_sleep)]
        async fn call() -> Result<(), &'static str> {
            Err("no")
        }
        let (seen, _guard) = record();
        call().await.unwrap_err();
        let pause = seen.events().into_iter().find(|event| event.target == "body").unwrap();
        assert!(pause.span.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_span_is_entered_during_each_poll_only() {
        #[retry(attempts = 2)]
        async fn call() -> Result<(), String> {
            sleep(SECOND).await;
            ::tracing::info!(target: "body", "inside");
            Ok(())
        }
        let (seen, _guard) = record();
        let beside = async {
            sleep(ms(500)).await;
            ::tracing::info!(target: "body", "beside");
        };
        let _ = tokio::join!(call(), beside);
        let spans: Vec<_> = seen
            .events()
            .into_iter()
            .filter(|event| event.target == "body")
            .map(|event| (event.message, event.span.is_some()))
            .collect();
        assert_eq!(spans, [("beside".to_owned(), false), ("inside".to_owned(), true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_span_exists_with_limits_in_blocking_code_and_in_manual_loops() {
        #[retry(attempts = 1, attempt_timeout = "1s")]
        async fn limited() -> Result<(), TimedOut> {
            ::tracing::info!(target: "body", "limited");
            Ok(())
        }
        #[retry(blocking)]
        fn blocking() -> Result<(), TimedOut> {
            ::tracing::info!(target: "body", "blocking");
            Ok(())
        }
        let (seen, _guard) = record();
        limited().await.unwrap();
        blocking().unwrap();
        let policy = Policy::new();
        let mut retry = Executor::new(&policy).name("by hand");
        retry.attempt_to_end(async { ::tracing::info!(target: "body", "by hand") }).await;
        ::tracing::info!(target: "body", "after");
        let spans: Vec<_> = seen
            .events()
            .into_iter()
            .filter(|event| event.target == "body")
            .map(|event| event.span.map(|span| span.name))
            .collect();
        let attempt = Some("attempt".to_owned());
        assert_eq!(spans, [attempt.clone(), attempt.clone(), attempt, None]);
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_call_logs_one_cancelled_event() {
        #[retry]
        async fn call() -> Result<(), &'static str> {
            pending().await
        }
        let (seen, _guard) = record();
        timeout(SECOND, call()).await.unwrap_err();
        let messages: Vec<_> = seen.events().into_iter().map(|event| event.message).collect();
        assert_eq!(messages, ["attempt 1 of 3 starts", "cancelled in attempt 1 of 3"]);
    }

    #[tokio::test(start_paused = true)]
    async fn subscriber_receives_events_of_its_level_only() {
        let (seen, _guard) = crate::trace::record_up_to(LevelFilter::WARN);
        always_fails(&Attempts::new()).await.unwrap_err();
        let levels: Vec<_> = seen.events().into_iter().map(|event| event.level).collect();
        assert_eq!(levels, ["WARN"]);
    }
}
