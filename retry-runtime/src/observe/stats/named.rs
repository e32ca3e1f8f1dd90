//! The counters of calls, by name: of an annotated function, of a hand-written loop, or of any other call with a name.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::OnceLock;

use crate::classify::failure::Failure;
use crate::observe::event::Decision;
#[cfg(feature = "metrics")]
use crate::observe::stats::metrics;
#[cfg(feature = "report")]
use crate::observe::stats::report::numbers::{self, Numbers};

/// The statistics of a hand-written loop: `static PUSH: CallStats = CallStats::new("push order");`.
///
/// An annotated function has its own statistics already. For other calls, they are looked up by the name of the call. A
/// `CallStats` of its own saves a loop that lookup, so that counting a success costs the same as in an annotated
/// function.
///
/// Threads count in different cache lines, so that they do not slow each other down. For that, the feature `metrics` takes
/// 1.3 KiB and `report` 2.3 KiB, in a `CallStats` and in an annotated function.
///
/// ```
/// use retry_runtime::{Executor, Policy};
/// use retry_runtime::stats::CallStats;
///
/// const POLICY: Policy = Policy::new();
/// static PUSH: CallStats = CallStats::new("push order");
///
/// let mut retry = Executor::new(&POLICY).stats(&PUSH);
/// ```
pub struct CallStats {
    name: &'static str,
    counters: Counters,
}

impl CallStats {
    /// Creates empty statistics with this name. Several statistics with the same name are one row in the report and one
    /// series in the metrics.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, counters: Counters::new() }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    #[inline(always)]
    pub(crate) fn named(&'static self) -> NamedStats {
        NamedStats { name: self.name, counters: &self.counters }
    }
}

impl fmt::Debug for CallStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallStats").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A [`CallStats`] without the name. The static in an annotated function cannot hold the name, because a static may not
/// refer to `Self` or to a parameter of the function around it.
#[doc(hidden)]
pub struct Counters {
    #[cfg(feature = "metrics")]
    pub(crate) metrics: metrics::SuccessMetrics,
    #[cfg(feature = "report")]
    pub(crate) numbers: Numbers,
}

impl Counters {
    #[allow(clippy::new_without_default, reason = "only used in statics, where `default()` cannot be called")]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            metrics: metrics::SuccessMetrics::new(),
            #[cfg(feature = "report")]
            numbers: Numbers::new(),
        }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}

/// A name and its counters.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NamedStats {
    pub(crate) name: &'static str,
    pub(crate) counters: &'static Counters,
}

impl NamedStats {
    /// Counts a call that succeeded with its first attempt.
    #[inline(always)]
    pub(crate) fn at_once(self) {
        #[cfg(feature = "report")]
        numbers::at_once(self.name, &self.counters.numbers);
        #[cfg(feature = "metrics")]
        metrics::at_once(self.name, &self.counters.metrics);
    }

    /// Counts a call that succeeded with this attempt, after a retry.
    #[cold]
    pub(crate) fn recovered(self, _attempts: u32) {
        #[cfg(feature = "report")]
        numbers::recovered(&self.counters.numbers);
        #[cfg(feature = "metrics")]
        metrics::recovered(self.name, _attempts);
    }

    /// Counts a failed attempt, which is the first of its call or not, and the decision that follows from it.
    #[cold]
    pub(crate) fn failed(self, _attempts: u32, _is_first: bool, _failure: Failure, decision: Decision) {
        #[cfg(feature = "report")]
        numbers::failed(self.name, &self.counters.numbers, _is_first, _failure, decision);
        #[cfg(feature = "metrics")]
        metrics::failed(self.name, _attempts, _failure, decision);
    }

    /// Counts a call that was cancelled after this number of attempts with an outcome.
    #[cold]
    pub(crate) fn cancelled(self, _attempts: u32) {
        #[cfg(feature = "report")]
        numbers::cancelled(&self.counters.numbers);
        #[cfg(feature = "metrics")]
        metrics::cancelled(self.name, _attempts);
    }
}

/// The limit on names with counters of their own. It bounds the memory of a program that creates names at run time.
const MAX_NAMES: usize = 1000;

/// The counters of all names beyond the limit.
static OTHERS: CallStats = CallStats::new("(others)");

/// The number of names with counters of their own.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The statistics of names, in a hash table of linked lists. The lists only grow, so reading them takes no lock.
static NAMED: [Link; 64] = [const { Link::new() }; 64];

type Link = OnceLock<Box<Named>>;

/// An element of such a list.
struct Named {
    stats: CallStats,
    next: Link,
}

impl NamedStats {
    /// The counters of this name. Creates them if they do not exist and the limit is not reached.
    pub(crate) fn by_name(name: &str) -> Self {
        let mut link = &NAMED[hash(name) % NAMED.len()];
        loop {
            // Threads that add names at the same time may exceed the limit, but only by one name for each thread.
            if link.get().is_none() && NUMBER.load(Relaxed) >= MAX_NAMES {
                return OTHERS.named();
            }
            // If another thread adds a different name here first, the search goes on in the next link.
            let named = link.get_or_init(|| named(name));
            if named.stats.name == name {
                return named.stats.named();
            }
            link = &named.next;
        }
    }
}

#[cold]
#[inline(never)]
fn named(name: &str) -> Box<Named> {
    NUMBER.fetch_add(1, Relaxed);
    // Leaked intentionally; bounded by `MAX_NAMES`.
    Box::new(Named { stats: CallStats::new(name.to_owned().leak()), next: Link::new() })
}

/// A hash of the length and the last bytes, because similar names, such as paths of functions, differ at their end.
fn hash(name: &str) -> usize {
    name.bytes().rev().take(8).fold(name.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
}

/// True if the library counts calls at all.
pub(crate) const ENABLED: bool = true;

/// The statistics of a loop that has its own.
pub(crate) type OwnStats = Option<&'static CallStats>;

/// A loop without statistics of its own.
pub(crate) const NO_OWN_STATS: OwnStats = None;

/// The counters of a hand-written loop: its own, or those of its name.
#[inline(always)]
pub(crate) fn of_loop(own: OwnStats, name: &str) -> NamedStats {
    own.map_or_else(|| NamedStats::by_name(name), CallStats::named)
}

/// The counters of an annotated function. A function, because a constant may not refer to a static with interior
/// mutability before Rust 1.91.
pub(crate) type CountersOf = fn() -> &'static Counters;

#[inline(always)]
pub(crate) fn of_function(name: &'static str, counters: CountersOf) -> NamedStats {
    NamedStats { name, counters: counters() }
}
