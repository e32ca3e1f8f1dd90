//! The empty twin of `named.rs`, without the features `metrics` and `report`: nothing is counted.

use crate::classify::failure::Failure;
use crate::observe::event::Decision;

pub(crate) const ENABLED: bool = false;

/// The counters of a call: none.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NamedStats;

impl NamedStats {
    #[inline(always)]
    pub(crate) fn at_once(self) {}

    #[inline(always)]
    pub(crate) fn recovered(self, _: u32) {}

    #[inline(always)]
    pub(crate) fn failed(self, _: u32, _: Failure, _: Decision) {}

    #[inline(always)]
    pub(crate) fn cancelled(self, _: u32) {}
}

pub(crate) type OwnStats = ();

#[inline(always)]
pub(crate) fn of_loop((): OwnStats, _: &str) -> NamedStats {
    NamedStats
}

/// The counters of an annotated function: none.
pub(crate) type CountersOf = ();

#[inline(always)]
pub(crate) fn of_function(_: &'static str, (): CountersOf) -> NamedStats {
    NamedStats
}
