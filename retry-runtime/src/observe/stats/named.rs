//! The counters of calls of one name.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::OnceLock;

use crate::classify::failure::Failure;
use crate::observe::event::Decision;
#[cfg(feature = "metrics")]
use crate::observe::stats::metrics;
#[cfg(feature = "report")]
use crate::observe::stats::report::numbers::{self, Numbers};

/// What the calls of a loop by hand are counted in: `static PUSH: CallStats = CallStats::new("push order");`.
///
/// An annotated function has one already, and calls that only have a name find one by it. A tally of its own saves a loop
/// that search; the price of counting a success is then the same as in an annotated function.
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
    /// Of this name, with nothing counted. Tallies of one name are one in what is made of them.
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
        f.debug_struct("Tally").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A [`CallStats`] whose name is elsewhere: a static in an annotated function may not say what `Self` or a parameter is.
#[doc(hidden)]
pub struct Counters {
    #[cfg(feature = "metrics")]
    pub(crate) keys: metrics::Keys,
    #[cfg(feature = "report")]
    pub(crate) numbers: Numbers,
}

impl Counters {
    #[allow(clippy::new_without_default, reason = "for statics")]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            keys: metrics::Keys::new(),
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

/// A name and what its calls are counted in.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NamedStats {
    pub(crate) name: &'static str,
    pub(crate) counters: &'static Counters,
}

impl NamedStats {
    #[inline(always)]
    pub(crate) fn at_once(self) {
        #[cfg(feature = "report")]
        numbers::at_once(self.name, &self.counters.numbers);
        #[cfg(feature = "metrics")]
        metrics::at_once(self.name, &self.counters.keys);
    }

    /// With this attempt.
    #[cold]
    pub(crate) fn recovered(self, _attempts: u32) {
        #[cfg(feature = "report")]
        numbers::recovered(&self.counters.numbers);
        #[cfg(feature = "metrics")]
        metrics::recovered(self.name, _attempts);
    }

    #[cold]
    pub(crate) fn failed(self, attempts: u32, _failure: Failure, decision: Decision) {
        #[cfg(feature = "report")]
        numbers::failed(self.name, &self.counters.numbers, attempts, decision);
        #[cfg(feature = "metrics")]
        metrics::failed(self.name, attempts, _failure, decision);
    }

    /// After as many attempts that had an outcome.
    #[cold]
    pub(crate) fn cancelled(self, _attempts: u32) {
        #[cfg(feature = "report")]
        numbers::cancelled(&self.counters.numbers);
        #[cfg(feature = "metrics")]
        metrics::cancelled(self.name, _attempts);
    }
}

/// The most names that are told apart. What names are made of at run time is not to fill the memory.
const MOST: usize = 1000;

static OTHERS: CallStats = CallStats::new("(others)");

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// The tallies of names, by a hash of these: lists that only ever grow, so that nothing has to be locked to read them.
static NAMED: [Link; 64] = [const { Link::new() }; 64];

type Link = OnceLock<Box<Named>>;

struct Named {
    tally: CallStats,
    next: Link,
}

impl NamedStats {
    /// What calls of this name are counted in.
    pub(crate) fn by_name(name: &str) -> Self {
        let mut link = &NAMED[hash(name) % NAMED.len()];
        loop {
            if link.get().is_none() && NUMBER.load(Relaxed) >= MOST {
                return OTHERS.named();
            }
            let named = link.get_or_init(|| named(name));
            if named.tally.name == name {
                return named.tally.named();
            }
            link = &named.next;
        }
    }
}

#[cold]
#[inline(never)]
fn named(name: &str) -> Box<Named> {
    NUMBER.fetch_add(1, Relaxed);
    // There are few, and they stay.
    Box::new(Named { tally: CallStats::new(name.to_owned().leak()), next: Link::new() })
}

/// Names that are alike differ at their end.
fn hash(name: &str) -> usize {
    name.bytes().rev().take(8).fold(name.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
}

/// True if the library counts at all.
pub(crate) const ENABLED: bool = true;

/// The counters of a loop that has some of its own.
pub(crate) type OwnStats = Option<&'static CallStats>;

/// The counters of a hand-written loop: its own, or those of its name.
#[inline(always)]
pub(crate) fn of_loop(own: OwnStats, name: &str) -> NamedStats {
    own.map_or_else(|| NamedStats::by_name(name), CallStats::named)
}

/// A function, because a constant may not refer to a static with interior mutability before Rust 1.91.
pub(crate) type CountersOf = fn() -> &'static Counters;

/// The counters of an annotated function.
#[inline(always)]
pub(crate) fn of_function(name: &'static str, counters: CountersOf) -> NamedStats {
    NamedStats { name, counters: counters() }
}
