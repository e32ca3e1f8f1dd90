//! The context of an attempt, as far as it is known when the library is compiled: the things that calls inside can see.

/// Known when an attempt is compiled, so that a success asks nothing about the rest. Every
/// [`TimeLimit`](crate::executor::TimeLimit) has one.
pub trait AttemptContext {
    /// True if the deadline cuts the attempt off. Otherwise it only ends the retries.
    #[doc(hidden)]
    const CUTS_OFF: bool = false;

    /// False if calls inside an attempt seldom see anything of it. The policy is asked about that first.
    #[doc(hidden)]
    const SETS_CONTEXT: bool = false;

    /// False if the policy of such a call has no deadline.
    #[doc(hidden)]
    const MAY_HAVE_DEADLINE: bool = true;
}
