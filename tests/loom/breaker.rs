//! Proofs on the breaker: in every order of its threads there is one probe at a time, no attempt is lost, and the end of a probe
//! wakes every task that waits for it.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use loom::model;
use loom::sync::Notify;

use crate::gate::BreakerState::{Closed, HalfOpen, Open};
use crate::gate::{Gate, Permit, ProbeEnd, Refusal};
use crate::in_threads;

/// One time for all threads, later by so many seconds.
fn after(seconds: u64) -> Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START + Duration::from_secs(seconds)
}

/// Opens when half of so many attempts fail, for five seconds.
fn of(minimum_calls: u32) -> Arc<Gate> {
    let gate = Gate::new(50, minimum_calls, Duration::from_secs(10), Duration::from_secs(5));
    // Has its lock made before threads race for that, which is no matter of the library's.
    assert_eq!(gate.state(), Closed);
    Arc::new(gate)
}

/// One that has opened.
fn opened() -> Arc<Gate> {
    let gate = of(1);
    settle(&gate, 0, true);
    assert_eq!(gate.state(), Open);
    gate
}

/// Whether an attempt at this time was let through, which then ended so.
fn settle(gate: &Gate, seconds: u64, failed: bool) -> bool {
    let admitted = gate.admit(after(seconds));
    admitted.map(|(permit, _)| permit.settle(after(seconds), failed)).is_ok()
}

#[test]
fn there_is_one_probe_at_a_time() {
    model(|| {
        let gate = opened();
        // All ask before any of them ends.
        let ask: fn(&Gate) -> bool = |gate| gate.admit(after(5)).map(|(permit, _)| std::mem::forget(permit)).is_ok();
        let asked = in_threads(&gate, &[ask, ask, ask]);
        assert_eq!(asked.into_iter().filter(|admitted| *admitted).count(), 1);
        assert_eq!(gate.state(), HalfOpen);
    });
}

#[test]
fn a_probe_that_is_dropped_lets_the_next_one_through() {
    model(|| {
        let gate = opened();
        let drops: fn(&Gate) -> bool = |gate| gate.admit(after(5)).is_ok();
        let asked = in_threads(&gate, &[drops, drops, drops]);
        assert!(asked.into_iter().any(|admitted| admitted));
        assert_eq!(gate.state(), HalfOpen);
        assert!(settle(&gate, 5, false));
        assert_eq!(gate.state(), Closed);
    });
}

#[test]
fn it_closes_after_a_good_probe_and_forgets_what_failed_before() {
    model(|| {
        let gate = opened();
        let good: fn(&Gate) -> bool = |gate| settle(gate, 5, false);
        let asked = in_threads(&gate, &[good, good]);
        // The second one is let through where the first has ended.
        assert!(asked.into_iter().any(|admitted| admitted));
        assert_eq!(gate.state(), Closed);
    });
}

#[test]
fn a_probe_that_fails_opens_it_again_whatever_the_others_do() {
    model(|| {
        let gate = opened();
        let fails: fn(&Gate) -> bool = |gate| settle(gate, 5, true);
        let asked = in_threads(&gate, &[fails, fails, fails]);
        assert_eq!(asked.into_iter().filter(|admitted| *admitted).count(), 1);
        assert_eq!(gate.state(), Open);
        assert!(!settle(&gate, 9, false) && settle(&gate, 10, false));
    });
}

#[test]
fn one_that_began_before_it_opened_does_not_change_it() {
    model(|| {
        let gate = of(1);
        let in_time = gate.admit(after(0)).ok().map(|(permit, _)| permit);
        settle(&gate, 0, true);
        let probe: fn(&Gate) = |gate| drop(gate.admit(after(5)));
        in_threads(&gate, &[probe, probe]);
        assert!(in_time.is_some_and(|permit| permit.settle(after(5), false).to == HalfOpen));
        assert_eq!(gate.state(), HalfOpen);
    });
}

#[test]
fn the_window_loses_no_attempt() {
    model(|| {
        let gate = of(6);
        let fails: fn(&Gate) = |gate| assert!(settle(gate, 0, true));
        in_threads(&gate, &[fails, |gate| assert!(settle(gate, 1, false)), fails]);
        // Five of six are not enough, and the sixth is.
        in_threads(&gate, &[fails, fails]);
        assert_eq!(gate.state(), Closed);
        assert!(settle(&gate, 2, true));
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn each_change_is_told_once() {
    model(|| {
        let gate = of(2);
        let change: fn(&Gate) -> bool = |gate| {
            let permit = gate.admit(after(0)).map(|(permit, _)| permit);
            permit.is_ok_and(|permit| permit.settle(after(0), true).to == Open)
        };
        let told = in_threads(&gate, &[change, change]);
        assert_eq!(told.into_iter().filter(|opened| *opened).count(), 1);
    });
}

/// A thread that waits: loom reports a deadlock if no wake-up comes.
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

/// Is the probe, which then ends so, or waits for it: whether the breaker was half-open.
fn end_or_wait(gate: &Gate, end: fn(Permit<'_>)) -> bool {
    match gate.admit(after(5)) {
        Ok((permit, _)) => end(permit),
        Err(Refusal::Probed(probe, _)) => wait_for(probe),
        Err(Refusal::Open(_)) => return false,
    }
    true
}

#[test]
fn a_probe_that_succeeds_wakes_those_who_wait() {
    model(|| {
        let gate = opened();
        let work: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| _ = probe.settle(after(5), false));
        assert_eq!(in_threads(&gate, &[work, work]), [true; 2]);
        assert_eq!(gate.state(), Closed);
    });
}

#[test]
fn a_probe_that_fails_wakes_those_who_wait() {
    model(|| {
        let gate = opened();
        let work: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| _ = probe.settle(after(5), true));
        assert!(in_threads(&gate, &[work, work]).contains(&true));
        assert_eq!(gate.state(), Open);
    });
}

#[test]
fn a_probe_that_is_dropped_wakes_those_who_wait() {
    model(|| {
        let gate = opened();
        let work: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| drop(probe));
        assert_eq!(in_threads(&gate, &[work, work]), [true; 2]);
        assert_eq!(gate.state(), HalfOpen);
    });
}

#[test]
fn one_that_waits_no_longer_takes_no_wake_up_from_others() {
    model(|| {
        let gate = opened();
        let probe: fn(&Gate) -> bool = |gate| end_or_wait(gate, |probe| _ = probe.settle(after(5), false));
        let gives_up: fn(&Gate) -> bool = |gate| {
            let Err(Refusal::Probed(probe, _)) = gate.admit(after(5)) else { return true };
            let _ = pin!(probe).poll(&mut Context::from_waker(Waker::noop()));
            true
        };
        assert_eq!(in_threads(&gate, &[probe, gives_up, probe]), [true; 3]);
    });
}
