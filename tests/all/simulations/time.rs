//! Time in a simulation: deadlines, and the elapsed time in events.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::time::Duration;

use retry_runtime::breaker::BreakerOpen;
use retry_runtime::event::GiveUp;
use retry_runtime::testing::{Script, Simulation};
use retry_runtime::{Attempt, Breaker, Policy};

use super::{BUSY, call};
use crate::support::{Attempts, Fault, SECOND, ms, timed};

/// The third retry would exceed the deadline.
const LIMITED: Policy = Policy::fixed(Duration::from_secs(4)).attempts(9).deadline(Duration::from_secs(10));

#[tokio::test(start_paused = true)]
async fn deadline_includes_skipped_delays() {
    for simulation in [Simulation::new(), Simulation::new().keep_delays()] {
        let mut remaining = Vec::new();
        let outcome = simulation
            .run(LIMITED.run(|attempt| {
                remaining.push((attempt.elapsed(), attempt.remaining().unwrap()));
                async { None::<()> }
            }))
            .await;
        assert_eq!((outcome, simulation.gave_up()), (None, Some(GiveUp::Deadline)));
        assert_eq!(remaining, [(0, 10), (4, 6), (8, 2)].map(|(elapsed, left)| (SECOND * elapsed, SECOND * left)));
        assert_eq!(simulation.events().last().unwrap().elapsed, SECOND * 8);
    }
}

#[tokio::test(start_paused = true)]
async fn elapsed_time_of_events_includes_skipped_delays() {
    for simulation in [Simulation::new(), Simulation::new().keep_delays()] {
        simulation.run(call(&Attempts::new(), 3)).await.unwrap();
        let elapsed: Vec<_> = simulation.events().iter().map(|event| event.elapsed.as_secs()).collect();
        assert_eq!(elapsed, [0, 0, 0, 1, 1, 1, 3, 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_is_cut_off_at_the_simulated_deadline() {
    let simulation = Simulation::new();
    let hangs_at_last =
        |attempt: Attempt| async move { if attempt.number() == 3 { pending().await } else { Err::<(), _>(BUSY) } };
    let (outcome, took) = timed(simulation.run(LIMITED.run(hangs_at_last))).await;
    assert_eq!((outcome, took), (Err(Fault::TRANSIENT), SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn nested_call_sees_the_simulated_deadline() {
    let inside = |_| async { Policy::fixed(SECOND * 3).run(|_| async { None::<()> }).await };
    let simulation = Simulation::new();
    simulation.run(LIMITED.attempts(3).run(inside)).await;
    // The last outer attempt has 2 s left.
    assert_eq!(simulation.delays(), [3, 3, 4, 3, 3, 4].map(|seconds| SECOND * seconds));
}

#[tokio::test(start_paused = true)]
async fn breaker_needs_kept_delays() {
    async fn through(breaker: &Breaker, script: &Script<io::Result<()>>) -> io::Result<()> {
        let attempt = |_| breaker.call(async { script.next() });
        Policy::fixed(ms(1)).attempts(3).deadline(SECOND * 60).run(attempt).await
    }
    for (simulation, is_ok) in [(Simulation::new(), false), (Simulation::new().keep_delays(), true)] {
        let breaker = Breaker::new().minimum_attempts(1).open_for(SECOND * 5);
        let script = Script::new([Err(ErrorKind::ConnectionRefused.into()), Ok(())]);
        let outcome = simulation.run(through(&breaker, &script)).await;
        assert_eq!(outcome.is_ok(), is_ok);
        assert!(is_ok || outcome.unwrap_err().get_ref().unwrap().is::<BreakerOpen>());
    }
}
