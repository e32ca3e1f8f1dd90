//! Without the feature `testing` there are no simulations to record.

use crate::observe::event::Event;

#[inline(always)]
pub(crate) fn record(_: &Event<'_>) {}
