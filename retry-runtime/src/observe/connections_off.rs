//! The empty twin of `connections.rs`, without the feature `connection-events`.

use crate::classify::connection::Via;
use crate::context::connections::ConnectionLog;
pub(crate) use crate::context::connections::ENABLED;
use crate::observe::event::EventKind;
use crate::util::clock::Instant;

#[inline(always)]
pub(crate) fn flush(_: &ConnectionLog, _: impl FnMut(u32, Instant, EventKind<'_>)) {}

#[inline(always)]
pub(crate) fn reused(_: &ConnectionLog, _: Via, _: u32, _: impl FnOnce(EventKind<'_>)) {}
