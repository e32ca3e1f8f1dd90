//! Counters and histograms for the crate `metrics`. They are documented in `guide/operating.md`.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::borrow::Cow;
use std::sync::{Mutex, OnceLock};
use std::thread;

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, Unit, counter, histogram, with_recorder};

use crate::classify::failure::Failure;
use crate::observe::event::Decision;
// The recorder's clock: tokio's would make it depend on tests that pause it.
use crate::util::clock::StdInstant;
use crate::util::shards::{Shard, Sharded};
use crate::util::sync::SHARDS;

const CALLS: &str = "retry_calls_total";
const ATTEMPTS: &str = "retry_attempts_total";
const REJECTED: &str = "retry_rejected_total";
const RETRIES: &str = "retry_retries_total";
const GAVE_UP: &str = "retry_gave_up_total";
const ATTEMPTS_PER_CALL: &str = "retry_attempts_per_call";
const DELAY: &str = "retry_delay_seconds";

static METADATA: Metadata<'_> = Metadata::new("retry", Level::INFO, Some(module_path!()));

/// The metrics of one name for a call that succeeds with its first attempt. Takes about 1 KiB, for the handles.
pub(crate) struct SuccessMetrics {
    /// Created on first use, so that a call neither allocates nor hashes a key.
    keys: OnceLock<Box<Keys>>,
    /// The handles of the global recorder. Locked by one thread at a time, which is rarely kept from it, because threads do
    /// not share a shard as long as there are few.
    handles: Sharded<Mutex<Option<Cached>>>,
}

struct Keys {
    calls: Key,
    attempts: Key,
    attempts_per_call: Key,
}

struct Handles {
    calls: Counter,
    attempts: Counter,
    attempts_per_call: Histogram,
}

struct Cached {
    since: StdInstant,
    handles: Handles,
}

/// The time after which handles are registered again. A recorder may drop metrics that are not used for some time, and what
/// a handle from before then counts is lost. If the recorder waits longer than this, no such handle is used.
const MAX_AGE: Duration = Duration::from_secs(1);

impl SuccessMetrics {
    pub(crate) const fn new() -> Self {
        Self { keys: OnceLock::new(), handles: Sharded([const { Shard(Mutex::new(None)) }; SHARDS]) }
    }

    /// Counts with the handles of the global recorder. Returns false if they are in use.
    #[inline(never)]
    fn count_cached(&self, name: &'static str, recorder: &dyn Recorder) -> bool {
        // Only `try_lock`, because a handle runs foreign code, which may call the same function.
        let Ok(mut cached) = self.handles.mine().try_lock() else { return false };
        let now = StdInstant::now();
        match &*cached {
            Some(Cached { since, handles }) if now.saturating_duration_since(*since) < MAX_AGE => handles.count(),
            _ => {
                let handles = self.keys(name).register(recorder);
                handles.count();
                *cached = Some(Cached { since: now, handles });
            }
        }
        true
    }

    #[inline(always)]
    fn keys(&self, name: &'static str) -> &Keys {
        self.keys.get_or_init(|| Box::new(Keys::new(name)))
    }
}

impl Keys {
    fn new(name: &'static str) -> Self {
        let of_name = Label::from_static_parts("name", name);
        let outcome = Label::from_static_parts("outcome", "succeeded");
        Self {
            calls: Key::from_parts(CALLS, vec![of_name.clone(), outcome]),
            attempts: Key::from_parts(ATTEMPTS, vec![of_name.clone()]),
            attempts_per_call: Key::from_parts(ATTEMPTS_PER_CALL, vec![of_name]),
        }
    }

    #[cold]
    fn register(&self, recorder: &dyn Recorder) -> Handles {
        Handles {
            calls: recorder.register_counter(&self.calls, &METADATA),
            attempts: recorder.register_counter(&self.attempts, &METADATA),
            attempts_per_call: recorder.register_histogram(&self.attempts_per_call, &METADATA),
        }
    }
}

impl Handles {
    fn count(&self) {
        self.calls.increment(1);
        self.attempts.increment(1);
        self.attempts_per_call.record(1.0);
    }
}

#[inline(never)]
pub(crate) fn at_once(name: &'static str, metrics: &SuccessMetrics) {
    with_recorder(|recorder| {
        describe_once(recorder);
        // A recorder without a size, such as the one that does nothing, may have the address of any other.
        if size_of_val(recorder) == 0 || !is_global(recorder) || !metrics.count_cached(name, recorder) {
            let Keys { calls, attempts, attempts_per_call } = metrics.keys(name);
            recorder.register_counter(calls, &METADATA).increment(1);
            recorder.register_counter(attempts, &METADATA).increment(1);
            recorder.register_histogram(attempts_per_call, &METADATA).record(1.0);
        }
    });
}

pub(crate) fn recovered(name: &'static str, attempts: u32) {
    counter!(ATTEMPTS, "name" => name).increment(1);
    ended(name, "recovered", attempts);
}

pub(crate) fn failed(name: &'static str, attempts: u32, failure: Failure, decision: Decision) {
    // Nothing was sent in an attempt that a breaker rejected.
    let counted = if failure.is_rejection() { REJECTED } else { ATTEMPTS };
    counter!(counted, "name" => name).increment(1);
    match decision {
        Ok((delay, _)) => {
            counter!(RETRIES, "name" => name, "reason" => reason(failure)).increment(1);
            histogram!(DELAY, "name" => name).record(delay);
        }
        Err(why) => {
            let last_failure = reason(failure);
            counter!(GAVE_UP, "name" => name, "reason" => why.as_str(), "last_failure" => last_failure).increment(1);
            ended(name, "gave_up", attempts);
        }
    }
}

pub(crate) fn cancelled(name: &'static str, attempts: u32) {
    ended(name, "cancelled", attempts);
}

fn ended(name: &'static str, outcome: &'static str, attempts: u32) {
    with_recorder(describe_once);
    counter!(CALLS, "name" => name, "outcome" => outcome).increment(1);
    histogram!(ATTEMPTS_PER_CALL, "name" => name).record(attempts);
}

/// The label for a failure: its status, `breaker_open`, `timeout`, or its class. Only statuses of HTTP become labels, because a user's
/// type may return any number, and each label is a new time series.
fn reason(failure: Failure) -> Cow<'static, str> {
    match failure.status() {
        Some(status @ 100..=599) => status.to_string().into(),
        _ if failure.is_rejection() => "breaker_open".into(),
        _ if failure.is_timeout() => "timeout".into(),
        _ => failure.class().as_str().into(),
    }
}

/// The address of the global recorder, once it is known. The global recorder is never freed, so no other one can have its
/// address.
static GLOBAL: AtomicUsize = AtomicUsize::new(0);

/// Describes the metrics to the recorder: once to the global recorder, and with each call to a recorder that is set for a
/// thread. A recorder for a thread may have the address of an earlier one, so its address does not show if it has
/// received the descriptions.
#[inline(always)]
fn describe_once(recorder: &dyn Recorder) {
    if !is_global(recorder) {
        describe_to(recorder, ptr::from_ref(recorder).addr());
    }
}

/// True if this is known to be the global recorder.
#[inline(always)]
fn is_global(recorder: &dyn Recorder) -> bool {
    GLOBAL.load(Relaxed) == ptr::from_ref(recorder).addr()
}

#[cold]
#[inline(never)]
fn describe_to(recorder: &dyn Recorder, address: usize) {
    thread_local! {
        /// The last address that was compared with the global recorder's.
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }
    describe(recorder);
    let is_new = COMPARED.try_with(|compared| compared.replace(address) != address).unwrap_or(false);
    if is_new && address_of_global() == Some(address) {
        GLOBAL.store(address, Relaxed);
    }
}

/// Determines the address of the global recorder, which is the current one on a new thread, where no other recorder is
/// set. The crate `metrics` has no function for that.
fn address_of_global() -> Option<usize> {
    let ask = || with_recorder(|recorder| ptr::from_ref(recorder).addr());
    thread::Builder::new().name("retry-metrics".to_owned()).spawn(ask).ok()?.join().ok()
}

fn describe(recorder: &dyn Recorder) {
    for (name, description) in [
        (CALLS, "Calls that ended: succeeded with the first attempt, recovered with a retry, gave_up or cancelled."),
        (
            ATTEMPTS,
            "Attempts that ended, first attempts and retries, without those that a circuit breaker rejected or whose value was not ready.",
        ),
        (REJECTED, "Attempts that a circuit breaker rejected. Nothing was sent."),
        (
            RETRIES,
            "Retries, by how the attempt before failed: its HTTP status, breaker_open, timeout, transient, permanent or unknown.",
        ),
        (GAVE_UP, "Calls that returned a failure, by why there was no further attempt, and by that last failure."),
    ] {
        recorder.describe_counter(name.into(), Some(Unit::Count), description.into());
    }
    let per_call = "Attempts of each call that ended, with those that a circuit breaker rejected.";
    recorder.describe_histogram(ATTEMPTS_PER_CALL.into(), Some(Unit::Count), per_call.into());
    recorder.describe_histogram(
        DELAY.into(),
        Some(Unit::Seconds),
        "Delay before each retry, counted before it is waited.".into(),
    );
}
