//! The empty twin of `named.rs`, without the features `metrics` and `report`: nothing is counted.

use crate::classify::failure::Failure;
use crate::observe::event::Decision;

pub(crate) const ENABLED: bool = false;

/// The counters of a call: none.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NamedStats;

impl NamedStats {
    #[inline]
    pub(crate) fn at_once(self) {}

    #[inline]
    pub(crate) fn recovered(self, _: u32) {}

    #[inline]
    pub(crate) fn failed(self, _: u32, _: bool, _: Failure, _: Decision) {}

    #[inline]
    pub(crate) fn cancelled(self, _: u32) {}
}

/// The counters of a loop: none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnStats;

/// A loop without counters of its own.
pub(crate) const NO_OWN_STATS: OwnStats = OwnStats;

#[inline]
pub(crate) fn of_loop(_: OwnStats, _: &str) -> NamedStats {
    NamedStats
}

/// The counters of an annotated function: none.
#[derive(Clone, Copy, Debug)]
pub struct Counters;

pub(crate) type CountersOf = Counters;

#[inline]
pub(crate) fn of_function(_: &'static str, _: CountersOf) -> NamedStats {
    NamedStats
}
