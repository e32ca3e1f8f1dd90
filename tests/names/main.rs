//! Names, lists of delays and the global recorder, which live as long as the process. The tests need their own process, because
//! they use up all names and count the allocated memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use retry_runtime::stats::{CallStats, report};
use retry_runtime::{Executor, Policy};
use serde_json::json;

const POLICY: Policy = Policy::new();

#[test]
fn report_distinguishes_a_thousand_names() {
    for round in 1..=2 {
        for number in 0..1500 {
            Executor::new(&POLICY).name(format!("order {number}")).succeed(());
        }
        let mut report = report();
        report.rows.retain(|row| row.name != STATS.name());
        assert_eq!(report.rows.len(), 1001);
        let others = report.rows.iter().find(|row| row.name == "(others)").unwrap();
        assert_eq!(others.calls, 500 * round);
        assert!(report.rows.iter().all(|row| row.calls == round || row.name == "(others)"));
    }
}

/// Counts the bytes that each thread has allocated and not freed.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

// SAFETY: the methods forward to the system's allocator, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(block, layout) }
    }
}

retry_runtime::policies! {
    static POLICIES { first: POLICY, second: POLICY }
}

/// The bytes that remain allocated after loading files with different lists of delays.
fn bytes_kept_by(files: u32, second: &serde_json::Value) -> isize {
    let before = LIVE.get();
    for number in 0..files {
        let delays = [format!("{}ms", files * 1000 + number), "1s".to_owned()];
        let _ = POLICIES.load(json!({ "first": { "delays": delays }, "second": second }));
    }
    POLICIES.reset();
    LIVE.get() - before
}

#[test]
fn rejected_files_keep_no_memory() {
    let rejected = json!({ "attempts": 0 });
    bytes_kept_by(1, &rejected);
    assert_eq!(bytes_kept_by(1000, &rejected), 0);
    // Applied files keep their lists, and equal lists share their memory.
    let applied = json!({ "attempts": 2 });
    let kept = bytes_kept_by(1000, &applied);
    assert!((32_000..80_000).contains(&kept), "{kept} bytes");
    assert!(bytes_kept_by(1000, &applied).abs() < 100);
}

/// A recorder that counts the descriptions it receives.
struct Described;

static DESCRIPTIONS: AtomicU32 = AtomicU32::new(0);

/// Counts the calls of the test below, so that they use up no name and are not among "(others)".
static STATS: CallStats = CallStats::new("global recorder");

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        DESCRIPTIONS.fetch_add(u32::from(name.as_str() == "retry_calls_total"), Relaxed);
    }
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// The tests run concurrently, so each of their threads may describe the metrics before it sees that the recorder is global.
#[test]
fn global_recorder_receives_descriptions_once() {
    metrics::set_global_recorder(Box::new(Described)).map_err(|_| "set twice").unwrap();
    Executor::new(&POLICY).stats(&STATS).succeed(());
    let first = DESCRIPTIONS.load(Relaxed);
    assert!((1..=3).contains(&first), "described {first} times");
    for _ in 0..100 {
        Executor::new(&POLICY).stats(&STATS).succeed(());
    }
    assert!(DESCRIPTIONS.load(Relaxed) <= 3);
}
