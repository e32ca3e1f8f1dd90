//! Reports of pauses, and pauses in simulations.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use retry_runtime::breaker::BreakerState;
use retry_runtime::event::GiveUp;
use retry_runtime::testing::Simulation;
use retry_runtime::{Executor, Policy};
use tokio::time::{advance, sleep};

use super::pauses::{asked_to_wait, busy, pausing, rejection, returns};
use crate::support::trace::record;
use crate::support::{Attempts, BreakerError, Recorder, SECOND, ms};

#[tokio::test(start_paused = true)]
async fn each_change_is_reported_once_with_its_reason() {
    static CHANGES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (trace, _guard) = record();
    let breaker = pausing().on_change(|change| {
        CHANGES.lock().unwrap().push(format!("{} to {}, {:?}", change.from, change.to, change.pause));
    });
    let late = breaker.call(async {
        sleep(ms(10)).await;
        Err::<(), _>(BreakerError::Fault(busy(90)))
    });
    tokio::join!(late, asked_to_wait(&breaker, 5)).0.unwrap_err();
    rejection(&breaker).await.unwrap();
    advance(SECOND * 60).await;
    assert_eq!(rejection(&breaker).await, None);
    assert_eq!(*CHANGES.lock().unwrap(), ["closed to paused, Some(5s)", "paused to closed, None"]);
    let events: Vec<_> = trace.events().iter().map(|event| (event.level.clone(), event.message.clone())).collect();
    let expected =
        [("WARN", "the breaker is paused for 5s: the server asked to wait"), ("INFO", "the breaker is closed")];
    assert_eq!(events, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
    assert!(trace.events().iter().all(|event| event.fields["name"] == "api"));
}

#[tokio::test(start_paused = true)]
async fn events_of_a_rejected_call_name_the_breaker_as_the_source() {
    let (breaker, recorder) = (pausing(), Recorder::new());
    asked_to_wait(&breaker, 5).await;
    let policy = Policy::fixed(SECOND).deadline(SECOND * 9);
    let mut retry = Executor::new(&policy).observer(&*recorder);
    let outcome = retry.attempt(returns(&breaker, Ok(()))).await;
    assert!(retry.next(outcome, &retry_runtime::Condition::new()).is_continue());
    let lines = recorder.lines();
    assert!(lines[1].contains("the breaker `api` is paused: the server asked to wait"), "{lines:?}");
    assert!(lines[2].contains("source: Breaker"), "{lines:?}");
}

/// The delays of ten calls that are rejected in a simulation with this seed.
fn delays_with_seed(seed: u64) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (simulation, breaker) = (Simulation::new().keep_delays().seed(seed), pausing());
        asked_to_wait(&breaker, 30).await;
        let rejections = (0..10).map(|_| simulation.run(async { rejection(&breaker).await.unwrap().half_open_in() }));
        let delays = join_all(rejections).await;
        assert!(delays.iter().all(|delay| (SECOND * 30..SECOND * 33).contains(delay)), "{delays:?}");
        delays
    })
}

#[test]
fn delays_are_reproducible_in_a_simulation() {
    let delays = delays_with_seed(7);
    assert_eq!(delays, delays_with_seed(7));
    assert_ne!(delays, delays_with_seed(8));
    assert!(delays.windows(2).all(|pair| pair[0] != pair[1]));
}

/// The retry of the call comes at once there, so a pause would reject it.
#[tokio::test(start_paused = true)]
async fn simulation_that_skips_delays_does_not_pause() {
    for (simulation, state) in
        [(Simulation::new(), BreakerState::Closed), (Simulation::new().keep_delays(), BreakerState::Paused)]
    {
        let (breaker, attempts) = (pausing(), Attempts::new());
        let policy = Policy::fixed(SECOND);
        let call = policy.run(|_| async {
            let outcome = attempts.succeed_at(2, busy(5)).map(drop);
            let outcome = returns(&breaker, outcome).await;
            assert_eq!(breaker.state(), if attempts.count() == 1 { state } else { BreakerState::Closed });
            outcome
        });
        simulation.run(call).await.unwrap();
        assert_eq!((attempts.count(), simulation.gave_up()), (2, None::<GiveUp>));
    }
}
