//! Two threads call a breaker whose state changes all the time. Every call, probe and change of state is accounted for.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use retry_runtime::Breaker;
use retry_runtime::breaker::BreakerState::{Closed, HalfOpen, Open};
use retry_runtime::breaker::{BreakerChange, BreakerOpen, BreakerState};

type Change = (BreakerState, BreakerState);

thread_local! {
    /// The changes of state by the current call of this thread.
    static CHANGES: RefCell<Vec<Change>> = const { RefCell::new(Vec::new()) };
}

/// How the calls have ended, and the changes of state.
#[derive(Debug, Default)]
struct Counts {
    made: u64,
    rejected: u64,
    dropped_probes: u64,
    opened: u64,
    half_opened: u64,
    reopened: u64,
    closed: u64,
}

/// True while the attempt runs that has made the breaker half-open.
static IS_PROBED: AtomicBool = AtomicBool::new(false);

/// An attempt. It is pending at its first poll if it is the probe that has made the breaker half-open.
async fn attempt(failed: bool) -> io::Result<()> {
    let is_probe = CHANGES.with_borrow(|changes| changes.contains(&(Open, HalfOpen)));
    if is_probe {
        assert!(!IS_PROBED.swap(true, Relaxed), "two probes at a time");
        let mut is_first = true;
        poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
        IS_PROBED.store(false, Relaxed);
    }
    if failed { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
}

/// Makes a call, or drops it after its first poll.
fn call(breaker: &Breaker, failed: bool, drops: bool) -> Option<io::Result<()>> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut call = pin!(breaker.call(attempt(failed)));
    match call.as_mut().poll(&mut cx) {
        Poll::Ready(outcome) => return Some(outcome),
        Poll::Pending if drops => {
            // Before the breaker admits the next probe.
            IS_PROBED.store(false, Relaxed);
            return None;
        }
        Poll::Pending => {}
    }
    // Lets the other thread ask for admission meanwhile.
    thread::yield_now();
    match call.poll(&mut cx) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => unreachable!("the attempt waits once"),
    }
}

impl Counts {
    /// Checks the changes of state that a call has made against its outcome, and counts both.
    fn count(&mut self, outcome: Option<&io::Result<()>>, changes: &[Change]) {
        let is_open = |error: &io::Error| error.get_ref().is_some_and(|inner| inner.is::<BreakerOpen>());
        match outcome {
            None => self.dropped_probes += 1,
            Some(Err(error)) if is_open(error) => self.rejected += 1,
            Some(_) => self.made += 1,
        }
        let succeeded = outcome.is_some_and(Result::is_ok);
        let failed = outcome.is_some_and(|outcome| outcome.as_ref().is_err_and(|error| !is_open(error)));
        for change in changes {
            match change {
                (Closed, Open) if failed => self.opened += 1,
                (Open, HalfOpen) => self.half_opened += 1,
                (HalfOpen, Open) if failed => self.reopened += 1,
                (HalfOpen, Closed) if succeeded => self.closed += 1,
                _ => panic!("{outcome:?} made the change {change:?}"),
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.made += other.made;
        self.rejected += other.rejected;
        self.dropped_probes += other.dropped_probes;
        self.opened += other.opened;
        self.half_opened += other.half_opened;
        self.reopened += other.reopened;
        self.closed += other.closed;
    }
}

static EVENTS: AtomicU64 = AtomicU64::new(0);

fn on_change(change: &BreakerChange) {
    EVENTS.fetch_add(1, Relaxed);
    CHANGES.with_borrow_mut(|changes| changes.push((change.from, change.to)));
}

fn soak(calls_of_each: u64) {
    let breaker = Breaker::new().failure_rate(25).open_for(Duration::from_micros(20)).on_change(on_change);
    let work = |seed: u64| {
        let breaker = &breaker;
        move || {
            let mut counts = Counts::default();
            let mut random = seed;
            for number in 0..calls_of_each {
                // The generator of Knuth's MMIX.
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                // Two thousand successes, then an outage.
                let failed = number % 4096 >= 2048 && random >> 62 != 0;
                let outcome = call(breaker, failed, random >> 60 == 0);
                counts.count(outcome.as_ref(), &CHANGES.take());
            }
            counts
        }
    };
    let mut all = Counts::default();
    thread::scope(|scope| {
        let threads = [scope.spawn(work(1)), scope.spawn(work(2))];
        threads.into_iter().for_each(|thread| all.add(&thread.join().unwrap()));
    });
    println!("{all:?}, then {}", breaker.state());

    let last = breaker.state();
    assert_eq!(all.made + all.rejected + all.dropped_probes, 2 * calls_of_each);
    // Each half-open period begins once, and ends with the outcome of one probe, however many were dropped before.
    assert_eq!(all.half_opened, all.reopened + all.closed + u64::from(last == HalfOpen));
    assert_eq!(all.opened, all.closed + u64::from(last != Closed));
    assert_eq!(EVENTS.swap(0, Relaxed), all.opened + all.half_opened + all.reopened + all.closed);
    assert!(all.opened > 0 && all.reopened > 0 && all.closed > 0 && all.dropped_probes > 0, "{all:?}");
}

/// With one lock, because both tests count in the same statics.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn each_probe_and_each_change_is_accounted_for() {
    let _one = ONE_AT_A_TIME.lock().unwrap();
    soak(100_000);
}

/// `cargo test -p retry-tests --test all -- --ignored --nocapture ten_million`
#[test]
#[ignore = "takes ten seconds"]
fn each_probe_and_each_change_of_ten_million_calls_is_accounted_for() {
    let _one = ONE_AT_A_TIME.lock().unwrap();
    soak(5_000_000);
}
