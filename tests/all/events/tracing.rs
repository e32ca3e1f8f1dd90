//! Events and spans for `tracing`.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use ::tracing::Instrument;
use ::tracing::level_filters::LevelFilter;
use retry_runtime::event::EventLevel;
use retry_runtime::{Breaker, Executor, Policy, TimedOut, retry};
use tokio::time::{sleep, timeout};

use crate::support::trace::{Seen, Trace, record, record_up_to};
use crate::support::{Attempts, Fault, Recorder, SECOND, ms};

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
        let (seen, _guard) = record_up_to(level);
        always_fails(&Attempts::new()).await.unwrap_err();
        let last = seen.events().pop().unwrap();
        assert_eq!(last.fields.get("call").map(String::as_str), expected, "{level}");
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

/// A call that has only polled has not recovered from a failure, so it is as quiet as its polls.
#[tokio::test(start_paused = true)]
async fn success_after_polls_is_debug_unless_a_failure_was_retried() {
    for (fails, level) in [(false, "DEBUG"), (true, "INFO")] {
        let (seen, _guard) = record();
        let mut retry = Executor::new(&const { Policy::fixed(SECOND).attempts(3) });
        if fails {
            drop(retry.pause("busy").unwrap());
        } else {
            drop(retry.not_ready().unwrap());
        }
        drop(retry.not_ready().unwrap());
        retry.succeed(());
        let last = seen.events().pop().unwrap();
        assert_eq!((last.level.as_str(), last.message.as_str()), (level, "attempt 3 of 3 succeeded"));
    }
}

#[tokio::test(start_paused = true)]
async fn hook_runs_in_the_span_of_its_call() {
    #[retry(attempts = 2, start = "1s", on_retry = |_| ::tracing::info!(target: "hook", "in the hook"))]
    async fn call(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(2, Fault::TRANSIENT)
    }
    let (seen, _guard) = record();
    call(&Attempts::new()).await.unwrap();
    let mut retry = Executor::new(&const { Policy::fixed(SECOND).attempts(2) });
    retry.attempt_blocking(|| ());
    drop(retry.pause_with("busy", |_| ::tracing::info!(target: "hook", "in the hook")).unwrap());
    let spans: Vec<_> =
        seen.events().into_iter().filter(|event| event.target == "hook").map(|event| event.span).collect();
    assert_eq!(spans.len(), 2);
    for span in spans {
        assert_eq!(span.expect("the hook runs in a span").name, "retry");
    }
    assert!(::tracing::Span::current().is_none(), "the span is left after the hook");
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

/// The compiler cannot see the limits of a policy that is built at run time, so the call reports them.
mod limits_that_cut_off_nothing {
    use super::*;

    const UNLIMITED: Policy = Policy::fixed(ms(100)).attempts(2);
    const LIMITED: Policy = UNLIMITED.attempt_timeout(ms(300)).deadline(SECOND);

    /// An error that cannot be made from [`TimedOut`].
    #[derive(Debug, PartialEq)]
    struct Foreign;

    /// The level and the text of each event that is not about an attempt.
    fn warnings(seen: &Trace) -> Vec<(String, String)> {
        let events = seen.events().into_iter().filter(|event| event.message.contains("TimedOut"));
        events.map(|event| (event.level, event.message)).collect()
    }

    fn warning(level: &str, limits: &str) -> [(String, String); 1] {
        let text = format!(
            "`load` cannot cut off attempts at {limits} of its policy, because its error type cannot be made from `TimedOut`: write \
             `impl From<retry_runtime::TimedOut> for` that type, or remove the limit from the policy"
        );
        [(level.to_owned(), text)]
    }

    #[tokio::test(start_paused = true)]
    async fn are_reported_once_for_each_function() {
        #[retry(policy = policy, name = "load")]
        async fn load(policy: &Policy) -> Result<u32, Foreign> {
            sleep(SECOND * 3).await;
            Ok(1)
        }
        let (seen, _guard) = record();
        assert_eq!(load(&UNLIMITED).await, Ok(1));
        assert_eq!(warnings(&seen), []);
        for _ in 0..3 {
            assert_eq!(load(&LIMITED).await, Ok(1));
        }
        assert_eq!(warnings(&seen), warning("WARN", "the `attempt_timeout` and the `deadline`"));
    }

    #[tokio::test(start_paused = true)]
    async fn are_reported_for_a_type_that_only_the_compiler_knows_and_for_copies() {
        #[retry(policy = UNLIMITED.deadline(SECOND), name = "load")]
        async fn opaque() -> Result<impl Sized, Foreign> {
            Ok::<_, Foreign>("loaded")
        }
        #[retry(policy = UNLIMITED.attempt_timeout(SECOND).events(EventLevel::Debug), hedge = "1ms", name = "load")]
        async fn copies() -> Result<u32, Foreign> {
            Ok(1)
        }
        let (seen, _guard) = record();
        assert!(opaque().await.is_ok());
        assert_eq!(warnings(&seen), warning("WARN", "the `deadline`"));
        let (seen, _guard) = record();
        assert_eq!(copies().await, Ok(1));
        assert_eq!(warnings(&seen), warning("DEBUG", "the `attempt_timeout`"));
    }

    #[tokio::test(start_paused = true)]
    async fn are_reported_when_the_level_of_the_warning_is_enabled() {
        #[retry(policy = LIMITED.events(EventLevel::Debug), name = "load")]
        async fn load() -> Result<u32, Foreign> {
            Ok(1)
        }
        let quiet = tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).with_writer(std::io::sink).finish();
        let guard = ::tracing::subscriber::set_default(quiet);
        assert_eq!(load().await, Ok(1));
        drop(guard);
        let (seen, _guard) = record();
        assert_eq!(load().await, Ok(1));
        assert_eq!(warnings(&seen), warning("DEBUG", "the `attempt_timeout` and the `deadline`"));
    }

    #[tokio::test(start_paused = true)]
    async fn are_not_reported_if_they_cut_off_attempts_or_events_are_off() {
        #[retry(policy = LIMITED)]
        async fn cut_off() -> Result<u32, std::io::Error> {
            Ok(1)
        }
        #[retry(policy = LIMITED.events(EventLevel::Off))]
        async fn quiet() -> Result<u32, Foreign> {
            Ok(1)
        }
        let (seen, _guard) = record();
        assert_eq!((cut_off().await.unwrap(), quiet().await), (1, Ok(1)));
        assert_eq!(warnings(&seen), []);
    }
}

#[tokio::test(start_paused = true)]
async fn failure_that_the_condition_excludes_is_not_permanent() {
    #[retry(attempts = 3, on_status = [429])]
    async fn call(error: Fault) -> Result<u32, Fault> {
        Err(error)
    }
    let excluded = ("excluded", "gave up after attempt 1 of 3: such a failure is not retried");
    let permanent = ("permanent", "gave up after attempt 1 of 3: the failure is not worth another attempt");
    for (error, (why, message)) in [
        (Fault::status(503), excluded),
        (Fault::UNKNOWN, excluded),
        (Fault::status(404), permanent),
        (Fault::PERMANENT, permanent),
    ] {
        let (seen, _guard) = record();
        call(error).await.unwrap_err();
        let last = seen.events().pop().unwrap();
        assert_eq!((last.message.as_str(), last.level.as_str()), (message, "INFO"));
        assert_eq!(last.fields["why"], why);
        assert_eq!(seen.spans().pop().unwrap().fields["error.type"], why);
    }
}

#[tokio::test(start_paused = true)]
async fn excluded_rejection_names_its_breaker() {
    static BREAKER: Breaker = Breaker::new().name("orders").minimum_attempts(1);
    #[retry(attempts = 3, deadline = "1h", on_error = |_| false, breaker = BREAKER)]
    async fn call() -> std::io::Result<()> {
        Err(std::io::ErrorKind::ConnectionReset.into())
    }
    call().await.unwrap_err();
    let (seen, _guard) = record();
    call().await.unwrap_err();
    let texts: Vec<_> = seen.events().into_iter().map(|event| event.message).collect();
    let expected = [
        "attempt 1 of 3 starts",
        "attempt 1 of 3 failed: the breaker `orders` is open",
        "gave up after attempt 1 of 3: such a failure is not retried",
    ];
    assert_eq!(texts, expected);
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
    assert_eq!(spans[3].fields, pairs([("attempts_made", "3"), ("call", "traced")]));
}

#[tokio::test(start_paused = true)]
async fn call_span_names_the_reason_to_give_up() {
    let (seen, _guard) = record();
    always_fails(&Attempts::new()).await.unwrap_err();
    let error =
        [("attempts_made", "3"), ("call", "traced"), ("error.type", "exhausted"), ("otel.status_code", "ERROR")];
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

/// In a hand-written loop, the call span ends with the call, and an attempt span ends when the loop reports the outcome.
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
    assert_eq!(names, [("attempt".to_owned(), 3), ("attempt".to_owned(), 1), ("retry".to_owned(), 2)]);
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
    let (seen, _guard) = record_up_to(LevelFilter::WARN);
    always_fails(&Attempts::new()).await.unwrap_err();
    let levels: Vec<_> = seen.events().into_iter().map(|event| event.level).collect();
    assert_eq!(levels, ["WARN"]);
}

/// The levels of the events, and the number of spans.
fn levels(seen: &Trace) -> (String, usize) {
    let events = seen.events().into_iter().filter(|event| event.target == "retry");
    (events.map(|event| event.level).collect::<Vec<_>>().join(" "), seen.spans().len())
}

#[tokio::test(start_paused = true)]
async fn the_level_of_events_is_chosen_by_the_attribute() {
    macro_rules! levels {
        ($($events:tt)*) => {{
            #[retry(attempts = 2, start = "1s", $($events)*)]
            async fn call() -> Result<u32, Fault> {
                Err(Fault::TRANSIENT)
            }
            let (seen, _guard) = record();
            call().await.unwrap_err();
            levels(&seen)
        }};
    }
    let info = ("TRACE INFO INFO DEBUG INFO WARN".to_owned(), 3);
    assert_eq!(levels!(), info);
    assert_eq!(levels!(events = "info"), info);
    assert_eq!(levels!(events = "debug"), ("TRACE DEBUG DEBUG DEBUG DEBUG DEBUG".to_owned(), 3));
    assert_eq!(levels!(events = "off"), (String::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn the_level_of_spans_follows_that_of_events() {
    for (level, spans) in [(EventLevel::Info, 3), (EventLevel::Debug, 0), (EventLevel::Off, 0)] {
        let (seen, _guard) = record_up_to(LevelFilter::INFO);
        let policy = Policy::fixed(SECOND).attempts(2).events(level);
        policy.run(|_| async { Err::<(), _>(Fault::TRANSIENT) }).await.unwrap_err();
        assert_eq!(levels(&seen).1, spans, "{level:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_receives_events_that_are_off_for_tracing() {
    let recorder = Recorder::new();
    let policy = Policy::fixed(SECOND).attempts(2).events(EventLevel::Off);
    let (seen, _guard) = record();
    let mut retry = Executor::new(&policy).observer(&recorder);
    let error = retry.attempt(async { Err::<(), _>(Fault::TRANSIENT) }).await.unwrap_err();
    drop(retry.pause(error).unwrap());
    drop(retry);
    assert_eq!(levels(&seen), (String::new(), 0));
    assert!(!recorder.lines().is_empty());
}
