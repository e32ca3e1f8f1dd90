//! The empty twin of `connections.rs`, without the feature `connection-events`: no client reports its connections.

pub(crate) const ENABLED: bool = false;

/// The connection events of one call: none.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionLog;

impl ConnectionLog {
    #[inline(always)]
    pub(crate) fn enter(&self, _: u32) -> AttemptScope {
        AttemptScope
    }
}

pub(crate) struct AttemptScope;
