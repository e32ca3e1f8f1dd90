//! The treatment of the delays that servers ask for.

/// The treatment of a server's delay of at most [`Policy::retry_after`](crate::Policy::retry_after). Set with
/// [`Policy::within_retry_after`](crate::Policy::within_retry_after).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WithinRetryAfter {
    /// It is a lower bound of the computed delay. This is the default.
    #[default]
    Raise,
    /// It replaces the computed delay, even if it is shorter. The random part of the schedule is added to it, so the delay
    /// is exactly the server's if the schedule has no jitter. A server that asks for a delay of zero gets the next attempt
    /// at once.
    Replace,
}

/// The treatment of a server's delay above [`Policy::retry_after`](crate::Policy::retry_after). Set with
/// [`Policy::beyond_retry_after`](crate::Policy::beyond_retry_after).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BeyondRetryAfter {
    /// The call gives up at once. This is the default.
    #[default]
    GiveUp,
    /// The limit takes the place of the server's delay.
    Wait,
    /// The server's delay is ignored: the computed delay applies.
    Ignore,
}
