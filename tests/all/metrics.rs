//! Metrics: counters and histograms for the crate `metrics`, with and without other observers.

use std::future::{pending, ready};
use std::io;
use std::time::Duration;

use metrics::set_default_local_recorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use reqwest_middleware::ClientBuilder;
use retry_runtime::executor::ManualCall;
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::stats::CallStats;
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Breaker, Class, Executor, Failure, Policy, TimedOut, retry};
use tokio::time::timeout;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::{Server, client};
use crate::support::{Attempts, FakeResponse, Fault, Recorder, SECOND};

#[retry(attempts = 3, start = "1s", name = "load")]
async fn load(attempts: &Attempts, succeed_at: u32, error: Fault) -> Result<u32, Fault> {
    attempts.succeed_at(succeed_at, error)
}

/// The metrics that a recorder of this thread receives while the future runs, such as
/// `retry_calls_total{name=load,outcome=succeeded} 1`.
async fn recorded(future: impl Future) -> Vec<String> {
    let recorder = DebuggingRecorder::new();
    {
        let _set = set_default_local_recorder(&recorder);
        future.await;
    }
    let recorded = recorder.snapshotter().snapshot().into_vec();
    let mut lines: Vec<_> = recorded.into_iter().map(|(key, _, _, value)| line(key.key(), &value)).collect();
    lines.sort();
    lines
}

fn line(key: &metrics::Key, value: &DebugValue) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    let value = match value {
        DebugValue::Counter(count) => count.to_string(),
        DebugValue::Histogram(values) => format!("{:?}", values.iter().map(|value| **value).collect::<Vec<_>>()),
        DebugValue::Gauge(value) => value.to_string(),
    };
    format!("{}{{{}}} {value}", key.name(), labels.join(","))
}

#[tokio::test(start_paused = true)]
async fn success_of_the_first_attempt_is_counted() {
    let recorded = recorded(load(&Attempts::new(), 1, Fault::UNKNOWN)).await;
    assert_eq!(
        recorded,
        [
            "retry_attempts_per_call{name=load} [1.0]",
            "retry_attempts_total{name=load} 1",
            "retry_calls_total{name=load,outcome=succeeded} 1",
        ]
    );
}

const RECOVERED: [&str; 5] = [
    "retry_attempts_per_call{name=load} [3.0]",
    "retry_attempts_total{name=load} 3",
    "retry_calls_total{name=load,outcome=recovered} 1",
    "retry_delay_seconds{name=load} [1.0, 2.0]",
    "retry_retries_total{name=load,reason=503} 2",
];

#[tokio::test(start_paused = true)]
async fn success_after_retries_is_counted() {
    assert_eq!(recorded(load(&Attempts::new(), 3, Fault::status(503))).await, RECOVERED);
}

#[tokio::test(start_paused = true)]
async fn observer_and_subscriber_do_not_change_the_metrics() {
    #[retry(attempts = 3, start = "1s", name = "load", observer = recorder)]
    async fn observed(recorder: &Recorder, attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
        attempts.succeed_at(succeed_at, Fault::status(503))
    }
    let recorder = Recorder::new();
    assert_eq!(recorded(observed(&recorder, &Attempts::new(), 3)).await, RECOVERED);
    assert_eq!(recorded(observed(&recorder, &Attempts::new(), 1)).await.len(), 3);
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(io::sink).finish();
    let _subscribed = tracing::subscriber::set_default(subscriber);
    assert_eq!(recorded(load(&Attempts::new(), 3, Fault::status(503))).await, RECOVERED);
}

#[tokio::test(start_paused = true)]
async fn call_that_gives_up_is_counted() {
    assert_eq!(
        recorded(load(&Attempts::new(), 9, Fault::status(503))).await,
        [
            "retry_attempts_per_call{name=load} [3.0]",
            "retry_attempts_total{name=load} 3",
            "retry_calls_total{name=load,outcome=gave_up} 1",
            "retry_delay_seconds{name=load} [1.0, 2.0]",
            "retry_gave_up_total{name=load,reason=exhausted,last_failure=503} 1",
            "retry_retries_total{name=load,reason=503} 2",
        ]
    );
    let permanent = recorded(load(&Attempts::new(), 9, Fault::PERMANENT)).await;
    assert_eq!(permanent[3], "retry_gave_up_total{name=load,reason=permanent,last_failure=permanent} 1");
    let server_delay = recorded(load(&Attempts::new(), 9, Fault::TRANSIENT.after(SECOND * 61))).await;
    assert_eq!(server_delay[3], "retry_gave_up_total{name=load,reason=server_delay,last_failure=transient} 1");
}

/// The amplification of the load is attempts by calls.
#[tokio::test(start_paused = true)]
async fn attempt_that_a_breaker_rejects_is_counted_apart() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(1).open_for(Duration::from_secs(9));
    #[retry(attempts = 3, backoff = "fixed", start = "1s", deadline = "5s", breaker = BREAKER, name = "load")]
    async fn call() -> io::Result<()> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
    assert_eq!(
        recorded(call()).await,
        [
            "retry_attempts_per_call{name=load} [2.0]",
            "retry_attempts_total{name=load} 1",
            "retry_calls_total{name=load,outcome=gave_up} 1",
            "retry_delay_seconds{name=load} [1.0]",
            "retry_gave_up_total{name=load,reason=permanent,last_failure=breaker_open} 1",
            "retry_rejected_total{name=load} 1",
            "retry_retries_total{name=load,reason=transient} 1",
        ]
    );
    let report = retry_runtime::stats::report();
    let row = report.rows.iter().find(|row| row.name == "load").unwrap();
    assert!(row.rejected > 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn failure_that_the_condition_excludes_is_not_permanent() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(1).open_for(Duration::from_secs(1));
    #[retry(attempts = 3, deadline = "5s", on_error = |_| false, breaker = BREAKER, name = "load")]
    async fn call() -> io::Result<()> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
    let gave_up = async || recorded(call()).await.into_iter().find(|line| line.starts_with("retry_gave_up")).unwrap();
    assert_eq!(gave_up().await, "retry_gave_up_total{name=load,reason=excluded,last_failure=transient} 1");
    assert_eq!(gave_up().await, "retry_gave_up_total{name=load,reason=excluded,last_failure=breaker_open} 1");
}

/// The call may be dropped in a pause or in a later attempt. A call that is dropped in its first attempt does not count.
#[tokio::test(start_paused = true)]
async fn dropped_call_is_counted_after_its_first_attempt() {
    #[retry(attempts = 3, start = "1s", name = "load")]
    async fn hangs(attempts: &Attempts, hang_at: u32) -> Result<u32, Fault> {
        if attempts.start() == hang_at { pending().await } else { Err(Fault::UNKNOWN) }
    }
    let cancelled = [
        "retry_attempts_per_call{name=load} [1.0]",
        "retry_attempts_total{name=load} 1",
        "retry_calls_total{name=load,outcome=cancelled} 1",
        "retry_delay_seconds{name=load} [1.0]",
        "retry_retries_total{name=load,reason=unknown} 1",
    ];
    assert_eq!(recorded(timeout(SECOND / 2, hangs(&Attempts::new(), 9))).await, cancelled);
    assert_eq!(recorded(timeout(SECOND * 2, hangs(&Attempts::new(), 2))).await, cancelled);
    assert_eq!(recorded(timeout(SECOND * 2, hangs(&Attempts::new(), 1))).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn reason_label_has_few_values() {
    #[retry(attempts = 2, start = "0s", attempt_timeout = "1s", name = "load")]
    async fn slow() -> Result<(), Slow> {
        pending().await
    }
    struct Slow;
    impl From<TimedOut> for Slow {
        fn from(_: TimedOut) -> Self {
            Self
        }
    }
    impl retry_runtime::Retryable for Slow {
        fn class(&self) -> Class {
            Class::Transient
        }
        fn failure(&self) -> Failure {
            Failure::new(Class::Transient).after_timeout()
        }
    }
    let retries = |lines: Vec<String>| lines.into_iter().find(|line| line.starts_with("retry_retries")).unwrap();
    let of = async |failure: Failure| {
        let policy = Policy::fixed(SECOND);
        let mut retry = Executor::new(&policy).name("load");
        retries(recorded(async { retry.pause_for("no", failure).unwrap().await }).await)
    };
    assert_eq!(of(Failure::of(&FakeResponse(599))).await, "retry_retries_total{name=load,reason=599} 1");
    assert_eq!(of(Failure::of(&FakeResponse(600))).await, "retry_retries_total{name=load,reason=permanent} 1");
    assert_eq!(of(Failure::of(&FakeResponse(65535))).await, "retry_retries_total{name=load,reason=permanent} 1");
    assert_eq!(of(Failure::new(Class::Unknown)).await, "retry_retries_total{name=load,reason=unknown} 1");
    assert_eq!(retries(recorded(slow()).await), "retry_retries_total{name=load,reason=timeout} 1");
}

#[tokio::test(start_paused = true)]
async fn manual_loops_are_counted() {
    static STATS: CallStats = CallStats::new("with stats");
    const POLICY: Policy = Policy::fixed(SECOND);
    async fn push(mut retry: Executor<ManualCall<'_>>, attempts: Attempts) -> Result<u32, String> {
        loop {
            match retry.attempt(ready(attempts.succeed_at(2, "no".to_owned()))).await {
                Ok(value) => break Ok(retry.succeed(value)),
                Err(error) => retry.pause(error)?.await,
            }
        }
    }
    let name = format!("by {}", "hand");
    for (retry, name) in [
        (Executor::new(&POLICY), "retry"),
        (Executor::new(&POLICY).name(&name), "by hand"),
        (Executor::new(&POLICY).stats(&STATS), "with stats"),
    ] {
        let recorded = recorded(push(retry, Attempts::new())).await;
        assert_eq!(recorded[2], format!("retry_calls_total{{name={name},outcome=recovered}} 1"));
    }
    let recorded = recorded(POLICY.run(async |_| Ok::<_, io::Error>(7))).await;
    assert_eq!(recorded[2], "retry_calls_total{name=retry,outcome=succeeded} 1");
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted() {
    static RETRY: RequestRetry = RequestRetry::new(Policy::fixed(SECOND)).name("order");
    let outcome = |lines: Vec<String>| lines.into_iter().find(|line| line.starts_with("retry_calls")).unwrap();
    let with_middleware = ClientBuilder::new(client()).with(RETRY.clone()).build();
    for (statuses, what) in [([200, 200], "succeeded"), ([503, 200], "recovered"), ([404, 404], "gave_up")] {
        let calls = format!("retry_calls_total{{name=order,outcome={what}}} 1");
        let server = Server::statuses(statuses).await;
        assert_eq!(outcome(recorded(client().get(&server.url).send_with_retry(&RETRY)).await), calls);
        let server = Server::statuses(statuses).await;
        assert_eq!(outcome(recorded(with_middleware.get(&server.url).send()).await), calls);
    }
    let server = Server::statuses([200]).await;
    let lines = recorded(client().get(&server.url).send_with_retry(&Policy::new())).await;
    assert_eq!(
        lines[1..],
        ["retry_attempts_total{name=request} 1", "retry_calls_total{name=request,outcome=succeeded} 1"]
    );
}

#[tokio::test(start_paused = true)]
async fn tower_services_are_counted() {
    let attempts = Attempts::new();
    let jobs = service_fn(|_: ()| ready(attempts.succeed_at(2, Fault::UNKNOWN)));
    let jobs = ServiceBuilder::new().retry(TowerPolicy::new(Policy::new()).name("jobs")).service(jobs);
    assert_eq!(recorded(jobs.oneshot(())).await[2], "retry_calls_total{name=jobs,outcome=recovered} 1");
}

#[tokio::test(start_paused = true)]
async fn recorder_set_later_receives_later_calls() {
    load(&Attempts::new(), 1, Fault::UNKNOWN).await.unwrap();
    let recorded = recorded(load(&Attempts::new(), 1, Fault::UNKNOWN)).await;
    assert_eq!(recorded[2], "retry_calls_total{name=load,outcome=succeeded} 1");
}

/// The text that Prometheus reads.
async fn scraped(builder: PrometheusBuilder) -> String {
    let buckets = |name: &str| Matcher::Full(name.to_owned());
    let builder = builder.set_buckets_for_metric(buckets("retry_attempts_per_call"), &[1.0, 2.0, 3.0]).unwrap();
    let builder = builder.set_buckets_for_metric(buckets("retry_delay_seconds"), &[0.1, 1.0, 10.0]).unwrap();
    let recorder = builder.build_recorder();
    let handle: PrometheusHandle = recorder.handle();
    let _set = set_default_local_recorder(&recorder);
    load(&Attempts::new(), 1, Fault::UNKNOWN).await.unwrap();
    load(&Attempts::new(), 2, Fault::status(503)).await.unwrap();
    load(&Attempts::new(), 9, Fault::status(429).after(Duration::from_millis(1500))).await.unwrap_err();
    let mut families: Vec<_> = handle.render().trim_end().split("\n\n").map(sorted).collect();
    families.sort();
    families.join("\n")
}

/// Keeps the comment lines first and sorts the series, which have no defined order.
fn sorted(family: &str) -> String {
    let (head, mut series): (Vec<_>, Vec<_>) = family.lines().partition(|line| line.starts_with('#'));
    series.sort_unstable();
    [head, series].concat().join("\n")
}

const TEXT: &str = r#"# HELP retry_attempts_per_call Attempts of each call that ended, with those that a circuit breaker rejected.
# TYPE retry_attempts_per_call histogram
retry_attempts_per_call_bucket{name="load",le="+Inf"} 3
retry_attempts_per_call_bucket{name="load",le="1"} 1
retry_attempts_per_call_bucket{name="load",le="2"} 2
retry_attempts_per_call_bucket{name="load",le="3"} 3
retry_attempts_per_call_count{name="load"} 3
retry_attempts_per_call_sum{name="load"} 6
# HELP retry_attempts_total Attempts that ended, first attempts and retries, without those that a circuit breaker rejected or whose value was not ready.
# TYPE retry_attempts_total counter
retry_attempts_total{name="load"} 6
# HELP retry_calls_total Calls that ended: succeeded with the first attempt, recovered with a retry, gave_up or cancelled.
# TYPE retry_calls_total counter
retry_calls_total{name="load",outcome="gave_up"} 1
retry_calls_total{name="load",outcome="recovered"} 1
retry_calls_total{name="load",outcome="succeeded"} 1
# HELP retry_delay_seconds Delay before each retry, counted before it is waited.
# TYPE retry_delay_seconds histogram
retry_delay_seconds_bucket{name="load",le="+Inf"} 3
retry_delay_seconds_bucket{name="load",le="0.1"} 0
retry_delay_seconds_bucket{name="load",le="1"} 1
retry_delay_seconds_bucket{name="load",le="10"} 3
retry_delay_seconds_count{name="load"} 3
retry_delay_seconds_sum{name="load"} 4.5
# HELP retry_gave_up_total Calls that returned a failure, by why there was no further attempt, and by that last failure.
# TYPE retry_gave_up_total counter
retry_gave_up_total{name="load",reason="exhausted",last_failure="429"} 1
# HELP retry_retries_total Retries, by how the attempt before failed: its HTTP status, breaker_open, timeout, transient, permanent or unknown.
# TYPE retry_retries_total counter
retry_retries_total{name="load",reason="429"} 2
retry_retries_total{name="load",reason="503"} 1"#;

#[tokio::test(start_paused = true)]
async fn prometheus_exposition_text_is_complete() {
    let text = scraped(PrometheusBuilder::new()).await;
    assert_eq!(text, TEXT, "{text}");
}

/// Each recorder in the loop has the same address as the previous one.
#[test]
fn each_recorder_at_a_reused_address_receives_descriptions() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    for number in 1..=4 {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(load(&Attempts::new(), 2, Fault::status(503))).unwrap();
        });
        let text = recorder.handle().render();
        assert!(text.contains("# HELP retry_calls_total Calls that ended"), "recorder {number}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn names_match_the_recommended_naming() {
    let recommended = scraped(PrometheusBuilder::new().with_recommended_naming(true)).await;
    assert_eq!(recommended, scraped(PrometheusBuilder::new()).await);
}
