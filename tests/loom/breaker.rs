//! Checks of the circuit breaker in every interleaving of threads: there is one probe at a time, each attempt counts, each
//! change of state happens once, and the end of a probe wakes each task that waits for it.

use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use loom::model;
use loom::model::Builder;
use loom::sync::Notify;

use crate::gate::BreakerState::{Closed, HalfOpen, Open, Paused};
use crate::gate::{Change, Gate, Permit, ProbeEnd, Refusal};
use crate::in_threads;
use crate::util::sync::use_shard;

/// [`model`] for many steps. All interleavings take minutes, so only those are checked in which threads interrupt each other
/// up to three times. `LOOM_MAX_PREEMPTIONS=100` checks all.
fn bounded_model(f: impl Fn() + Send + Sync + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(3));
    model.check(f);
}

/// A point in time for all threads, this many seconds after the first use.
fn after(seconds: u64) -> Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START + Duration::from_secs(seconds)
}

/// A gate that opens for five seconds if half of at least this many attempts fail.
fn closed_gate(minimum_attempts: u32) -> Arc<Gate> {
    gate(50, minimum_attempts)
}

fn gate(failure_rate: u8, minimum_attempts: u32) -> Arc<Gate> {
    let gate = Gate::new(failure_rate, minimum_attempts, Duration::from_secs(10), Duration::from_secs(5));
    // Creates loom's lock and atomics now, so that threads do not race for that: the library's own need no such step.
    let _ = format!("{gate:?}");
    Arc::new(gate)
}

/// A gate that opens after this many failures, and has counted one. Its first part has begun.
fn failed_gate(minimum_attempts: u32) -> Arc<Gate> {
    let gate = closed_gate(minimum_attempts);
    assert!(settle(&gate, 0, true));
    assert_eq!(gate.state(), Closed);
    gate
}

/// A gate that has opened.
fn open_gate() -> Arc<Gate> {
    let gate = closed_gate(1);
    settle(&gate, 0, true);
    assert_eq!(gate.state(), Open);
    gate
}

/// Makes an attempt at this time, with this result. Returns whether the gate admitted it.
fn settle(gate: &Gate, seconds: u64, failed: bool) -> bool {
    let admitted = gate.admit(|| after(seconds));
    admitted.map(|(permit, _)| end(permit, seconds, failed)).is_ok()
}

/// Ends an attempt at this time, with this result.
fn end(permit: Permit<'_>, seconds: u64, failed: bool) -> Change {
    if failed { permit.fail(after(seconds), Duration::ZERO) } else { permit.succeed(|| after(seconds)) }
}

#[test]
fn one_probe_runs_at_a_time() {
    bounded_model(|| {
        let gate = open_gate();
        // All threads ask for a permit before any probe ends.
        let admit: fn(&Gate) -> bool =
            |gate| gate.admit(|| after(5)).map(|(permit, _)| std::mem::forget(permit)).is_ok();
        let admitted = in_threads(&gate, &[admit, admit, admit]);
        assert_eq!(admitted.into_iter().filter(|admitted| *admitted).count(), 1);
        assert_eq!(gate.state(), HalfOpen);
    });
}

#[test]
fn dropped_probe_admits_the_next_one() {
    bounded_model(|| {
        let gate = open_gate();
        let drops: fn(&Gate) -> bool = |gate| gate.admit(|| after(5)).is_ok();
        let admitted = in_threads(&gate, &[drops, drops, drops]);
        assert!(admitted.into_iter().any(|admitted| admitted));
        assert_eq!(gate.state(), HalfOpen);
        assert!(settle(&gate, 5, false));
        assert_eq!(gate.state(), Closed);
    });
}

#[test]
fn gate_closes_after_a_successful_probe_and_drops_earlier_failures() {
    model(|| {
        let gate = open_gate();
        let succeeds: fn(&Gate) -> bool = |gate| settle(gate, 5, false);
        let admitted = in_threads(&gate, &[succeeds, succeeds]);
        // The second thread is admitted if the first has finished.
        assert!(admitted.into_iter().any(|admitted| admitted));
        assert_eq!(gate.state(), Closed);
    });
}

#[test]
fn failed_probe_reopens_the_gate_in_any_interleaving() {
    bounded_model(|| {
        let gate = open_gate();
        let fails: fn(&Gate) -> bool = |gate| settle(gate, 5, true);
        let admitted = in_threads(&gate, &[fails, fails, fails]);
        assert_eq!(admitted.into_iter().filter(|admitted| *admitted).count(), 1);
        assert_eq!(gate.state(), Open);
        assert!(!settle(&gate, 9, false) && settle(&gate, 10, false));
    });
}

#[test]
fn postponed_probe_reopens_the_gate_for_a_tenth_of_the_time() {
    bounded_model(|| {
        let gate = open_gate();
        let postpones: fn(&Gate) -> bool = |gate| {
            let permit = gate.admit(|| after(50)).map(|(permit, _)| permit);
            permit.is_ok_and(|permit| permit.postpone(after(50)).to == Open)
        };
        let postponed = in_threads(&gate, &[postpones, postpones, postpones]);
        assert_eq!(postponed.into_iter().filter(|postponed| *postponed).count(), 1);
        assert_eq!(gate.state(), Open);
        // The gate opens for five seconds otherwise.
        assert!(!settle(&gate, 50, false) && settle(&gate, 51, false));
    });
}

#[test]
fn attempt_from_before_the_gate_opened_does_not_change_its_state() {
    model(|| {
        let gate = closed_gate(1);
        let earlier = gate.admit(|| after(0)).ok().map(|(permit, _)| permit);
        settle(&gate, 0, true);
        let probe: fn(&Gate) = |gate| drop(gate.admit(|| after(5)));
        in_threads(&gate, &[probe, probe]);
        assert!(earlier.is_some_and(|permit| end(permit, 5, false).to == HalfOpen));
        assert_eq!(gate.state(), HalfOpen);
    });
}

#[test]
fn window_counts_each_attempt() {
    bounded_model(|| {
        let gate = closed_gate(6);
        let fails: fn(&Gate) = |gate| assert!(settle(gate, 0, true));
        in_threads(&gate, &[fails, |gate| assert!(settle(gate, 1, false)), fails]);
        // Five attempts are below the minimum of six, and the sixth one opens the gate.
        in_threads(&gate, &[fails, fails]);
        assert_eq!(gate.state(), Closed);
        assert!(settle(&gate, 2, true));
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn each_state_change_is_reported_once() {
    model(|| {
        let gate = closed_gate(2);
        let change: fn(&Gate) -> bool = |gate| {
            let permit = gate.admit(|| after(0)).map(|(permit, _)| permit);
            permit.is_ok_and(|permit| end(permit, 0, true).to == Open)
        };
        let opened = in_threads(&gate, &[change, change]);
        assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
    });
}

/// Counts a failure in this shard. Returns whether it opened the gate.
fn fails_in(shard: usize, gate: &Gate, seconds: u64) -> bool {
    use_shard(shard);
    let Ok((permit, _)) = gate.admit(|| after(seconds)) else { return false };
    opens(permit, seconds)
}

fn opens(permit: Permit<'_>, seconds: u64) -> bool {
    let change = end(permit, seconds, true);
    change.from != change.to && change.to == Open
}

/// The threads do not share a counter, so each has to see what the other has counted.
#[test]
fn failures_in_different_shards_open_the_gate_once() {
    model(|| {
        let gate = closed_gate(2);
        let opened = in_threads(&gate, &[|gate| fails_in(0, gate, 0), |gate| fails_in(1, gate, 0)]);
        assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn failures_in_different_parts_of_the_window_open_the_gate_once() {
    model(|| {
        let gate = failed_gate(3);
        let opened = in_threads(&gate, &[|gate| fails_in(0, gate, 0), |gate| fails_in(1, gate, 1)]);
        assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn attempt_from_before_the_gate_opened_does_not_count_after_it_has_closed() {
    type Shared = (Arc<Gate>, Mutex<Option<Permit<'static>>>);
    bounded_model(|| {
        let gate: &'static Arc<Gate> = Box::leak(Box::new(closed_gate(1)));
        let permit = gate.admit(|| after(0)).ok().map(|(permit, _)| permit);
        let shared: Arc<Shared> = Arc::new((Arc::clone(gate), Mutex::new(permit)));
        let open_and_close: fn(&Shared) -> bool = |(gate, _)| {
            let opened = fails_in(0, gate, 0);
            assert!(settle(gate, 5, false));
            opened
        };
        // Opens the gate if the other thread has not, and does not count later.
        let earlier: fn(&Shared) -> bool = |(_, permit)| {
            use_shard(1);
            permit.lock().unwrap().take().is_some_and(|permit| opens(permit, 0))
        };
        let opened = in_threads(&shared, &[open_and_close, earlier]);
        assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
        assert_eq!(gate.state(), Closed);
    });
}

/// After 16 parts of a second, the next part uses the counters of the first one again.
#[test]
fn count_of_a_new_part_is_not_lost_to_an_earlier_attempt() {
    model(|| {
        let gate = failed_gate(3);
        // The failure at 0 seconds is not in the window, unless its thread finds the new part.
        in_threads(&gate, &[|gate| fails_in(0, gate, 16), |gate| fails_in(0, gate, 0)]);
        // With that of 16 seconds there are three.
        let opened = [fails_in(0, &gate, 16), fails_in(0, &gate, 16)];
        assert!(opened.contains(&true));
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn success_counts_when_the_part_changes() {
    model(|| {
        // Three failures and two successes.
        let gate = failed_gate(5);
        let fails: fn(&Gate) -> bool = |gate| fails_in(0, gate, 1);
        let succeeds: fn(&Gate) -> bool = |gate| settle(gate, 0, false);
        in_threads(&gate, &[fails, succeeds]);
        assert!(settle(&gate, 1, false));
        assert_eq!(gate.state(), Closed);
        assert!(fails_in(1, &gate, 1));
    });
}

/// After 17 successes, the next ones do not read the clock. Two threads share their counter, and a third moves on to the next
/// part of the window.
#[test]
fn successes_that_do_not_read_the_clock_count_once_when_the_part_changes() {
    bounded_model(|| {
        let gate = gate(1, 21);
        (0..17).for_each(|_| assert!(settle(&gate, 0, false)));
        let fails: fn(&Gate) -> bool = |gate| fails_in(1, gate, 1);
        let succeeds: fn(&Gate) -> bool = |gate| {
            use_shard(0);
            settle(gate, 0, false)
        };
        in_threads(&gate, &[fails, succeeds, succeeds]);
        // There are 20 outcomes.
        assert_eq!(gate.state(), Closed);
        assert!(fails_in(1, &gate, 1));
    });
}

/// Makes an attempt at this time, whose server asks to wait. Returns the change of state, if the attempt is admitted.
fn asked_to_wait(gate: &Gate, seconds: u64, pause: u64) -> Option<Change> {
    let (permit, _) = gate.admit(|| after(seconds)).ok()?;
    Some(permit.fail(after(seconds), Duration::from_secs(pause)))
}

fn pauses(change: Change) -> bool {
    (change.from, change.to) == (Closed, Paused)
}

#[test]
fn attempts_at_the_same_time_pause_the_gate_once_and_it_closes_once() {
    bounded_model(|| {
        let gate = closed_gate(9);
        let paused = in_threads(&gate, &[|gate| asked_to_wait(gate, 0, 3), |gate| asked_to_wait(gate, 0, 3)]);
        assert_eq!(paused.into_iter().flatten().filter(|change| pauses(*change)).count(), 1);
        assert_eq!(gate.state(), Paused);
        let closes: fn(&Gate) -> bool = |gate| gate.admit(|| after(3)).is_ok_and(|(_, change)| change.from == Paused);
        let closed = in_threads(&gate, &[closes, closes]);
        assert_eq!(closed.into_iter().filter(|closed| *closed).count(), 1);
        assert_eq!(gate.state(), Closed);
    });
}

/// A pause in two threads ends when the longer one does, whichever is first.
#[test]
fn longer_pause_wins_in_any_interleaving() {
    model(|| {
        let gate = closed_gate(9);
        let permits = [(); 2].map(|()| gate.admit(|| after(0)).ok().map(|(permit, _)| permit).expect("closed"));
        std::mem::forget(permits);
        let pauses: fn(&Gate) -> bool = |gate| asked_to_wait(gate, 0, 2).is_some();
        let longer: fn(&Gate) -> bool = |gate| asked_to_wait(gate, 0, 4).is_some();
        // A thread that is rejected has found out about the other one's pause.
        let [short, long] = in_threads(&gate, &[pauses, longer])[..] else { unreachable!() };
        assert!(short || long);
        assert_eq!(settle(&gate, 3, false), !long);
        assert!(settle(&gate, 4, false));
        assert_eq!(gate.state(), Closed);
    });
}

/// An attempt of before the pause counts in it and after it, and is lost in neither.
#[test]
fn failures_count_while_the_gate_is_paused() {
    bounded_model(|| {
        let gate = failed_gate(3);
        let pause: fn(&Gate) -> bool = |gate| asked_to_wait(gate, 1, 3).is_some();
        let fails: fn(&Gate) -> bool = |gate| {
            use_shard(1);
            settle(gate, 1, true)
        };
        let counted = in_threads(&gate, &[pause, fails]).into_iter().filter(|admitted| *admitted).count();
        // With that of `failed_gate`, the third failure opens the gate, also if it is paused. The pause ends before the gate
        // does.
        assert_eq!(gate.state(), if counted == 2 { Open } else { Paused });
        assert!(!settle(&gate, 3, false));
    });
}

#[test]
fn failed_probe_that_pauses_wakes_the_waiting_tasks() {
    model(|| {
        let gate = open_gate();
        let work: fn(&Gate) -> bool =
            |gate| end_or_wait(gate, |probe| _ = probe.fail(after(5), Duration::from_secs(60)));
        assert!(in_threads(&gate, &[work, work]).contains(&true));
        assert_eq!(gate.state(), Paused);
        assert!(!settle(&gate, 64, false) && settle(&gate, 65, false));
        assert_eq!(gate.state(), Closed);
    });
}

/// A waiting thread. Loom reports a deadlock if no wake-up arrives.
struct Parked(Notify);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

fn wait_for(probe: ProbeEnd<'_>) {
    let parked = Arc::new(Parked(Notify::new()));
    let waker = Waker::from(parked.clone());
    let mut probe = pin!(probe);
    while probe.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        parked.0.wait();
    }
}

/// Runs the probe and ends it like this, or waits for another probe. Returns whether the gate was half-open.
fn end_or_wait(gate: &Gate, end: fn(Permit<'_>)) -> bool {
    match gate.admit(|| after(5)) {
        Ok((permit, _)) => end(permit),
        Err(Refusal::Probed(probe, _)) => wait_for(probe),
        Err(Refusal::Open(_) | Refusal::Paused(..)) => return false,
    }
    true
}

#[test]
fn successful_probe_wakes_the_waiting_tasks() {
    model(|| {
        let gate = open_gate();
        let work: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| _ = end(probe, 5, false));
        assert_eq!(in_threads(&gate, &[work, work]), [true; 2]);
        assert_eq!(gate.state(), Closed);
    });
}

#[test]
fn failed_probe_wakes_the_waiting_tasks() {
    model(|| {
        let gate = open_gate();
        let work: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| _ = end(probe, 5, true));
        assert!(in_threads(&gate, &[work, work]).contains(&true));
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn dropped_probe_wakes_the_waiting_tasks() {
    model(|| {
        let gate = open_gate();
        let work: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| drop(probe));
        assert_eq!(in_threads(&gate, &[work, work]), [true; 2]);
        assert_eq!(gate.state(), HalfOpen);
    });
}

#[test]
fn dropped_waiter_takes_no_wake_up_from_others() {
    bounded_model(|| {
        let gate = open_gate();
        let probe: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| _ = end(probe, 5, false));
        let gives_up: fn(&Gate) -> bool = |gate| {
            let Err(Refusal::Probed(probe, _)) = gate.admit(|| after(5)) else { return true };
            let _ = pin!(probe).poll(&mut Context::from_waker(Waker::noop()));
            true
        };
        assert_eq!(in_threads(&gate, &[probe, gives_up, probe]), [true; 3]);
    });
}
