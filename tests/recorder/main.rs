//! The global recorder of the crate `metrics`, whose handles are cached. The test needs its own process, because it sets the
//! global recorder.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use retry_runtime::stats::CallStats;
use retry_runtime::{Executor, Policy};

const POLICY: Policy = Policy::new();

/// A recorder of counters that counts the registrations, and can drop its counters.
#[derive(Clone, Default)]
struct Recording(Arc<Inside>);

#[derive(Default)]
struct Inside {
    counters: Mutex<HashMap<Key, Arc<AtomicU64>>>,
    registrations: AtomicU64,
}

impl Recording {
    fn counters(&self) -> MutexGuard<'_, HashMap<Key, Arc<AtomicU64>>> {
        self.0.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of `retry_calls_total`.
    fn calls(&self) -> u64 {
        let counters = self.counters();
        let calls = counters.iter().filter(|(key, _)| key.name() == "retry_calls_total");
        calls.map(|(_, count)| count.load(Relaxed)).sum()
    }

    fn registrations(&self) -> u64 {
        self.0.registrations.load(Relaxed)
    }
}

impl Recorder for Recording {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.registrations.fetch_add(1, Relaxed);
        Counter::from_arc(Arc::clone(self.counters().entry(key.clone()).or_default()))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn succeed(times: u32) {
    static STATS: CallStats = CallStats::new("load");
    for _ in 0..times {
        Executor::new(&POLICY).stats(&STATS).succeed(());
    }
}

#[test]
fn handles_of_the_global_recorder_are_cached_and_those_of_others_are_not() {
    // No recorder: the next ones receive nothing of these calls.
    succeed(10);
    let global = Recording::default();
    metrics::set_global_recorder(global.clone()).map_err(|_| "set twice").unwrap();
    succeed(10_000);
    assert_eq!(global.calls(), 10_000);
    let registrations = global.registrations();
    assert!(registrations < 100, "{registrations} registrations");

    // Recorders of this thread. They may have the same address, one after the other.
    for calls in 1..5 {
        let local = Box::new(Recording::default());
        metrics::with_local_recorder(&*local, || succeed(calls));
        assert_eq!(local.calls(), u64::from(calls));
    }
    succeed(1);
    assert_eq!(global.calls(), 10_001);

    // On two threads, each call counts once.
    thread::scope(|scope| {
        scope.spawn(|| succeed(20_000));
        scope.spawn(|| succeed(20_000));
    });
    assert_eq!(global.calls(), 50_001);

    // A recorder that drops metrics that have not been used for more than a second, as Prometheus's with an idle timeout.
    thread::sleep(Duration::from_millis(1100));
    global.counters().clear();
    succeed(3);
    assert_eq!(global.calls(), 3);
}
