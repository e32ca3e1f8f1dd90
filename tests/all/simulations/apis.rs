//! Simulated calls through each API.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use reqwest_middleware::ClientBuilder;
use retry_runtime::event::{OwnedEvent, OwnedEventKind};
use retry_runtime::http::connections::TraceConnections;
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::testing::{Script, Server, Simulation, simulate};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Executor, retry};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{BUSY, EVENTS, POLICY, call, events_of_faults};
use crate::support::server::{client, client_builder};
use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, recorded_blocking_sleep, recorded_sleep, timed};

async fn simulated<F: Future<Output: Debug>>(future: F) -> (F::Output, Simulation) {
    let ((output, simulation), took) = timed(async { simulate(future).await }).await;
    assert_eq!(took, Duration::ZERO);
    (output, simulation)
}

#[tokio::test(start_paused = true)]
async fn annotated_functions_are_simulated() {
    let (outcome, simulation) = simulated(call(&Attempts::new(), 3)).await;
    assert_eq!(outcome, Ok(3));
    simulation.assert_events(&events_of_faults());
    assert!(simulation.events().iter().all(|event| event.name.ends_with("::call")));
}

#[tokio::test(start_paused = true)]
async fn manual_loops_are_simulated() {
    let attempts = Attempts::new();
    let manual = async {
        let mut retry = Executor::new(&POLICY);
        loop {
            let pause = match retry.attempt(async { attempts.succeed_at(3, BUSY) }).await {
                Ok(number) => break retry.succeed(number),
                Err(error) => retry.pause(error).unwrap(),
            };
            assert_eq!(pause.delay(), SECOND * attempts.count());
            pause.await;
        }
    };
    let (number, simulation) = simulated(manual).await;
    assert_eq!(number, 3);
    simulation.assert_events(&events_of_faults());
}

#[tokio::test(start_paused = true)]
async fn closures_are_simulated() {
    let script = Script::new([Err(BUSY), Err(BUSY), Ok("hello")]);
    let (outcome, simulation) = simulated(POLICY.run(|_| async { script.next() })).await;
    assert_eq!(outcome, Ok("hello"));
    simulation.assert_events(&events_of_faults());
}

#[tokio::test(start_paused = true)]
async fn requests_are_simulated() {
    let plain = RequestRetry::new(POLICY);
    for retry in [plain.clone(), plain.before_attempt(|_| {})] {
        let server = Server::start([503, 503, 200]);
        let (response, simulation) = simulated(client().get(server.url()).send_with_retry(&retry)).await;
        assert_eq!((response.unwrap().status().as_u16(), server.hits()), (200, 3));
        simulation.assert_events(EVENTS);
    }
}

#[tokio::test(start_paused = true)]
async fn connection_events_are_recorded() {
    let client = client_builder().trace_connections().build().unwrap();
    let server = Server::start([503, 200]);
    let (_, simulation) = simulated(client.get(server.url()).send_with_retry(&POLICY)).await;
    let connections: Vec<_> = simulation.events().iter().filter_map(connection_event).collect();
    assert_eq!(connections, [(1, "connecting"), (1, "connected"), (2, "reused")]);
}

fn connection_event(event: &OwnedEvent) -> Option<(u32, &'static str)> {
    let OwnedEventKind::Connection(connection) = &event.kind else { return None };
    Some((event.attempt, connection.as_str()))
}

#[tokio::test(start_paused = true)]
async fn listed_requests_and_middleware_are_simulated() {
    let server = Server::start([503, 503, 200]);
    let request = client().get(server.url()).build().unwrap();
    let (response, simulation) = simulated(client().send_first_of(&POLICY, [request])).await;
    assert_eq!(response.unwrap().status(), 200);
    simulation.assert_events(EVENTS);

    let server = Server::start([503, 503, 200]);
    let client = ClientBuilder::new(client()).with(RequestRetry::new(POLICY)).build();
    let (response, simulation) = simulated(client.get(server.url()).send()).await;
    assert_eq!(response.unwrap().status(), 200);
    simulation.assert_events(EVENTS);
}

#[tokio::test(start_paused = true)]
async fn tower_services_are_simulated() {
    let attempts = Arc::new(Attempts::new());
    let service = service_fn(move |()| std::future::ready(attempts.succeed_at(3, BUSY)));
    let service = ServiceBuilder::new().retry(TowerPolicy::new(POLICY)).service(service);
    let (outcome, simulation) = simulated(service.oneshot(())).await;
    assert_eq!(outcome, Ok(3));
    simulation.assert_events(&events_of_faults());
}

#[retry(blocking, attempts = 3, start = "1s")]
fn blocking(script: &Script<Result<u32, Fault>>) -> Result<u32, Fault> {
    script.next()
}

#[test]
fn blocking_functions_are_simulated() {
    let script = Script::new([Err(BUSY), Err(BUSY), Ok(3)]);
    let simulation = Simulation::new();
    let start = std::time::Instant::now();
    assert_eq!(simulation.run_blocking(|| blocking(&script)), Ok(3));
    assert!(start.elapsed() < SECOND);
    simulation.assert_events(&events_of_faults());
}

#[retry(attempts = 2, start = "1s", sleep = recorded_sleep)]
async fn with_custom_sleep() -> Result<(), Fault> {
    Err(BUSY)
}

#[retry(blocking, attempts = 2, start = "1s", sleep = recorded_blocking_sleep)]
fn with_custom_blocking_sleep() -> Result<(), Fault> {
    Err(BUSY)
}

#[tokio::test(start_paused = true)]
async fn custom_sleep_is_called_only_if_delays_are_kept() {
    for (simulation, slept) in [(Simulation::new(), vec![]), (Simulation::new().keep_delays(), all_ms([1000]))] {
        let recorder = Recorder::new();
        recorder.record_sleeps(simulation.run(with_custom_sleep())).await.unwrap_err();
        assert_eq!((recorder.slept(), simulation.delays()), (slept.clone(), all_ms([1000])));
        let recorder = Recorder::new();
        recorder.record_blocking_sleeps(|| simulation.run_blocking(with_custom_blocking_sleep)).unwrap_err();
        assert_eq!(recorder.slept(), slept);
    }
}

#[tokio::test(start_paused = true)]
async fn immediate_success_is_recorded_by_each_api() {
    let server = Server::start([200]);
    let simulation = Simulation::new();
    simulation.run(call(&Attempts::new(), 1)).await.unwrap();
    simulation.run(POLICY.run(|_| async { Some(()) })).await.unwrap();
    simulation.run(client().get(server.url()).send_with_retry(&POLICY)).await.unwrap();
    let service =
        ServiceBuilder::new().retry(TowerPolicy::new(POLICY)).service(service_fn(async |()| Ok::<_, Fault>(())));
    simulation.run(service.oneshot(())).await.unwrap();
    simulation.assert_events(&"attempt 1 of 3 starts\nattempt 1 of 3 succeeded\n".repeat(4));
    assert_eq!((simulation.attempts(), simulation.gave_up()), (4, None));
}
