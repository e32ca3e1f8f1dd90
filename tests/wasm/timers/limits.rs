//! Time limits, hedges, breakers, tower and simulations.

use std::cell::Cell;
use std::future::pending;
use std::time::Duration;

use retry_runtime::testing::Simulation;
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Breaker, Hedge, Policy, retry, retrying};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use wasm_bindgen_test::wasm_bindgen_test;
use web_time::Instant;

use crate::Error;

fn assert_timed_out(outcome: Result<(), Error>, start: Instant, millis: u64) {
    assert!(matches!(outcome, Err(Error::TimedOut(_))), "{outcome:?}");
    assert!(start.elapsed() + Duration::from_millis(3) >= Duration::from_millis(millis), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_millis(millis + 1000), "{:?}", start.elapsed());
}

#[retry(attempts = 2, start = "10ms", attempt_timeout = "20ms")]
async fn never_answers(attempts: &mut u32) -> Result<(), Error> {
    *attempts += 1;
    pending().await
}

#[wasm_bindgen_test]
async fn attempt_timeout_ends_each_attempt() {
    let (start, mut attempts) = (Instant::now(), 0);
    assert_timed_out(never_answers(&mut attempts).await, start, 20 + 10 + 20);
    assert_eq!(attempts, 2);
}

#[wasm_bindgen_test]
async fn deadline_ends_the_last_attempt() {
    let (start, mut attempts) = (Instant::now(), 0);
    let outcome = retrying!(attempts = 9, start = "10ms", deadline = "500ms", async || -> Result<(), Error> {
        attempts += 1;
        if attempts < 3 { Err(Error::Transient) } else { pending().await }
    })
    .await;
    assert_timed_out(outcome, start, 500);
    assert_eq!(attempts, 3);
}

#[wasm_bindgen_test]
async fn no_attempt_starts_after_the_deadline() {
    let (start, mut attempts) = (Instant::now(), 0);
    let policy = Policy::fixed(Duration::from_millis(600)).deadline(Duration::from_millis(1000));
    let outcome = policy
        .run(|_| {
            attempts += 1;
            async { Err::<(), _>(Error::Transient) }
        })
        .await;
    assert!(matches!(outcome, Err(Error::Transient)));
    assert_eq!(attempts, 2);
    assert!(start.elapsed() < Duration::from_millis(1000), "{:?}", start.elapsed());
}

#[wasm_bindgen_test]
async fn hedge_starts_a_copy_of_a_late_attempt() {
    let copy = Hedge::after(Duration::from_millis(10))
        .run(async |copy| if copy == 1 { pending().await } else { Ok::<_, Error>(copy) })
        .await;
    assert_eq!(copy.unwrap(), 2);
}

#[wasm_bindgen_test]
async fn breaker_opens_and_lets_a_probe_through() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(1).open_for(Duration::from_millis(200));
    let call = async |outcome: Result<(), Error>| BREAKER.call(async { outcome }).await;
    assert!(matches!(call(Err(Error::Transient)).await, Err(Error::Transient)));
    assert!(matches!(call(Ok(())).await, Err(Error::Rejected(_))));
    gloo_timers::future::TimeoutFuture::new(210).await;
    assert!(call(Ok(())).await.is_ok());
}

#[wasm_bindgen_test]
async fn tower_policy_waits_between_attempts() {
    let (start, attempts) = (Instant::now(), Cell::new(0));
    let service = service_fn(async |()| {
        attempts.set(attempts.get() + 1);
        if attempts.get() < 3 { Err(Error::Transient) } else { Ok(attempts.get()) }
    });
    let policy = TowerPolicy::new(Policy::fixed(Duration::from_millis(20)));
    assert_eq!(ServiceBuilder::new().layer(policy).service(service).oneshot(()).await.unwrap(), 3);
    assert!(start.elapsed() >= Duration::from_millis(2 * 20 - 2), "{:?}", start.elapsed());
}

#[wasm_bindgen_test]
async fn simulation_skips_delays() {
    let (start, mut attempts) = (Instant::now(), 0);
    let simulation = Simulation::new();
    let call = retrying!(attempts = 3, start = "1h", async || -> Result<(), Error> {
        attempts += 1;
        Err(Error::Transient)
    });
    assert!(simulation.run(call).await.is_err());
    assert_eq!(attempts, 3);
    assert!(start.elapsed() < Duration::from_secs(1));
}
