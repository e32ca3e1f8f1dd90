//! `TowerPolicy` as a layer, which runs the service inside its attempts.

use std::sync::Arc;
use std::time::Duration;

use retry_runtime::http::connections::TraceConnections;
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Policy, retry};
use tokio::time::sleep;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::{Server, client_builder};
use crate::support::trace::record;
use crate::support::{Attempts, Fault, Recorder, SECOND, ms, timed};

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

#[tokio::test(start_paused = true)]
async fn service_runs_in_the_span_of_its_attempt() {
    let (trace, _guard) = record();
    let attempts = Arc::new(Attempts::new());
    let service = service_fn(|_: &str| {
        // Logs in `call` itself, and in the future that it returns.
        tracing::info!("called");
        let attempts = attempts.clone();
        async move {
            sleep(ms(1)).await;
            tracing::info!("polled");
            attempts.succeed_at(2, Fault::UNKNOWN)
        }
    });
    let service = ServiceBuilder::new().layer(TowerPolicy::new(POLICY).name("jobs")).service(service);
    service.oneshot("request").await.unwrap();
    let places = trace.events().into_iter().filter(|event| event.target.starts_with("all")).map(|event| {
        let span = event.span.unwrap();
        format!("{} in {} {} of {}", event.message, span.name, span.fields["attempt"], span.parent.unwrap())
    });
    assert_eq!(
        places.collect::<Vec<_>>(),
        [
            "called in attempt 1 of retry",
            "polled in attempt 1 of retry",
            "called in attempt 2 of retry",
            "polled in attempt 2 of retry",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_run_in_their_own_attempts() {
    let (trace, _guard) = record();
    let attempts = Arc::new(Attempts::new());
    let service = service_fn(|name: &'static str| {
        let attempts = attempts.clone();
        async move {
            sleep(if name == "slow" { SECOND * 9 } else { SECOND }).await;
            tracing::info!("polled {name}");
            if name == "slow" { Ok(1) } else { attempts.succeed_at(3, Fault::UNKNOWN) }
        }
    });
    let mut service = ServiceBuilder::new().layer(TowerPolicy::new(POLICY)).service(service);
    let slow = service.ready().await.unwrap().call("slow");
    let quick = service.ready().await.unwrap().call("quick");
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!((slow, quick), (Ok(1), Ok(3)));
    let polled = trace.events().into_iter().filter(|event| event.message.starts_with("polled"));
    let places: Vec<_> =
        polled.map(|event| format!("{} in attempt {}", event.message, event.span.unwrap().fields["attempt"])).collect();
    assert_eq!(
        places,
        [
            "polled quick in attempt 1",
            "polled quick in attempt 2",
            "polled quick in attempt 3",
            "polled slow in attempt 1"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nested_calls_see_the_deadline_and_report_exhausted_retries() {
    #[retry(attempts = 9, backoff = "fixed", start = "1s")]
    async fn inside(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(99, Fault::UNKNOWN)
    }
    async fn call(policy: Policy) -> (u32, Duration) {
        let attempts = Arc::new(Attempts::new());
        let counted = attempts.clone();
        let service = service_fn(move |_: ()| {
            let attempts = counted.clone();
            async move { inside(&attempts).await }
        });
        let service = ServiceBuilder::new().layer(TowerPolicy::new(policy)).service(service);
        let (_, took) = timed(service.oneshot(())).await;
        (attempts.count(), took)
    }
    // Attempts at 0, 1, 2 and 3 s. The next one would exceed the deadline.
    assert_eq!(call(POLICY.deadline(ms(3500))).await, (4, SECOND * 3));
    assert_eq!(call(POLICY.nested(retry_runtime::Nested::Once)).await, (9, SECOND * 8));
}

#[tokio::test(start_paused = true)]
async fn connection_events_belong_to_the_attempt() {
    let (server, recorder) = (Server::statuses([503, 200]).await, Recorder::new());
    let client = client_builder().trace_connections().build().unwrap();
    let policy = TowerPolicy::http(POLICY).cloning(reqwest::Request::try_clone).observer(recorder.clone());
    let request = client.get(&server.url).build().unwrap();
    ServiceBuilder::new().layer(policy).service(client).oneshot(request).await.unwrap();
    let lines = recorder.lines();
    assert!(lines[1].starts_with("1/3 Connection(Connecting"), "{lines:#?}");
    assert!(lines[2].starts_with("1/3 Connection(Connected"), "{lines:#?}");
}

/// The call is dropped while it polls the service.
#[tokio::test(start_paused = true)]
async fn dropped_call_emits_cancelled() {
    let recorder = Recorder::new();
    let policy = || TowerPolicy::new(POLICY).observer(recorder.clone());
    let silent = service_fn(|_: ()| std::future::pending::<Result<(), Fault>>());
    let call = ServiceBuilder::new().layer(policy()).service(silent).oneshot(());
    tokio::time::timeout(SECOND, call).await.unwrap_err();
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn panic_in_a_service_does_not_affect_the_next_call() {
    let recorder = Recorder::new();
    let policy = TowerPolicy::new(POLICY.attempts(2)).observer(recorder.clone());
    let panics = service_fn(|request: &'static str| async move {
        if request == "panic" { panic!() } else { Err::<u32, _>(Fault::UNKNOWN) }
    });
    let mut service = ServiceBuilder::new().layer(policy).service(panics);
    let task = tokio::spawn(service.ready().await.unwrap().call("panic"));
    assert!(task.await.unwrap_err().is_panic());
    recorder.lines();
    service.ready().await.unwrap().call("request").await.unwrap_err();
    assert_eq!(recorder.lines().last().unwrap(), "2/2 GaveUp(Exhausted)");
}
