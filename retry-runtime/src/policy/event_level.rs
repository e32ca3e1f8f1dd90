//! The level of a call's events.

/// The level of a call's events and spans for `tracing` and `log`. Set with [`Policy::events`](crate::Policy::events).
///
/// An [`Observer`](crate::Observer), the statistics and simulations receive every event at any level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventLevel {
    /// Giving up is a warning, a failure and a pause are information. This is the default.
    #[default]
    Info,
    /// Warnings and information become debugging information, and so do the spans. For a library that embeds retries, if users who ask
    /// for its debug lines are to see them.
    Debug,
    /// Neither events nor spans. For a library that reports its retries itself.
    Off,
}
