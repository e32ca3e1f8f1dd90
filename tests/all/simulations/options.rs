//! The options of a simulation.

use std::time::Duration;

use retry_runtime::event::GiveUp;
use retry_runtime::testing::Simulation;
use retry_runtime::{Attempt, Jitter, Policy};

use super::{POLICY, call};
use crate::support::{Attempts, SECOND, all_ms, highest, timed};

const JITTERED: Policy = POLICY.attempts(9).jitter(Jitter::Full);

async fn delays(simulation: &Simulation, policy: &Policy) -> Vec<Duration> {
    let before = simulation.delays().len();
    simulation.run(policy.run(|_| async { None::<()> })).await;
    simulation.delays().split_off(before)
}

#[tokio::test(start_paused = true)]
async fn seed_determines_the_random_numbers() {
    let seeded = async |seed| delays(&Simulation::new().seed(seed), &JITTERED).await;
    assert_eq!(seeded(7).await, seeded(7).await);
    assert_ne!(seeded(7).await, seeded(8).await);
    assert_eq!(delays(&Simulation::new(), &JITTERED).await, seeded(0).await);
    assert_eq!(delays(&Simulation::new(), &JITTERED.random_source(highest)).await, seeded(0).await);
    assert_ne!(seeded(0).await, delays(&Simulation::new(), &POLICY.attempts(9)).await);
}

#[tokio::test(start_paused = true)]
async fn calls_and_clones_share_one_random_sequence() {
    let simulation = Simulation::new().seed(7);
    let (first, second) = (delays(&simulation, &JITTERED).await, delays(&simulation.clone(), &JITTERED).await);
    assert_ne!(first, second);
    // Users' tests may contain such numbers, so the generator must not change.
    assert_eq!(first[..2], [Duration::from_nanos(55_360_436), Duration::from_nanos(344_231_709)]);
}

#[tokio::test(start_paused = true)]
async fn seed_determines_random_backoffs() {
    for policy in [Policy::random(SECOND, SECOND * 9), Policy::decorrelated(SECOND, SECOND * 9)] {
        let seeded = async |seed| delays(&Simulation::new().seed(seed), &policy).await;
        assert_eq!(seeded(7).await, seeded(7).await);
        assert_ne!(seeded(7).await, seeded(8).await);
    }
}

#[tokio::test(start_paused = true)]
async fn max_attempts_lowers_the_number_of_attempts_only() {
    for (simulation, count) in [
        (Simulation::new(), 3),
        (Simulation::new().max_attempts(2), 2),
        (Simulation::new().max_attempts(9), 3),
        (Simulation::new().without_retries(), 1),
    ] {
        let attempts = Attempts::new();
        simulation.run(call(&attempts, 9)).await.unwrap_err();
        assert_eq!(
            (attempts.count(), simulation.attempts(), simulation.gave_up()),
            (count, count as usize, Some(GiveUp::Exhausted))
        );
        let limits: Vec<_> = simulation.events().iter().map(|event| event.attempts).collect();
        assert_eq!(limits, vec![Some(count); limits.len()]);
    }
    let unlimited = Simulation::new().max_attempts(4);
    assert_eq!(delays(&unlimited, &POLICY.unlimited()).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn is_last_respects_max_attempts() {
    for (simulation, last) in [(Simulation::new(), 3), (Simulation::new().max_attempts(2), 2)] {
        let is_last = |attempt: Attempt| async move { attempt.is_last().then_some(attempt.number()) };
        assert_eq!(simulation.run(POLICY.run(is_last)).await, Some(last));
    }
}

#[test]
#[should_panic = "`max_attempts` includes the first attempt: write 1 for no retry at all"]
fn zero_attempts_panic() {
    let _ = Simulation::new().max_attempts(0);
}

#[tokio::test(start_paused = true)]
async fn keep_delays_sleeps() {
    for (simulation, slept) in [(Simulation::new(), Duration::ZERO), (Simulation::new().keep_delays(), SECOND * 3)] {
        assert_eq!(timed(simulation.run(call(&Attempts::new(), 3))).await.1, slept);
        assert_eq!(simulation.delays(), all_ms([1000, 2000]));
    }
}
