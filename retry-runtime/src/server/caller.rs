//! `Caller`: what a handler learns about the caller of its request.

use core::time::Duration;

use crate::context::captured::Deadline;

/// The time that the caller of a request still waits, and the number of its attempt. The layer adds it to the extensions of each request.
///
/// With the feature `axum`, it is an extractor. tonic's handlers find it with `request.extensions().get::<Caller>()`.
///
/// It is for logs and traces. Do not decide by it: the number comes from outside and may be wrong, and
/// [calls inside](crate::Deadline) know the deadline already.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub(super) deadline: Option<Deadline>,
    pub(super) attempt: Option<u32>,
}

impl Caller {
    /// The time left until the [`deadline`](Self::deadline), zero if it has passed. `None` without a deadline.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.remaining())
    }

    /// The number of the caller's attempt, from 1. `None` if the request does not tell, or if the layer does not
    /// [trust](super::CallerLayer::trust_callers) callers. gRPC does not tell it of a first attempt.
    #[must_use]
    pub fn attempt(&self) -> Option<u32> {
        self.attempt
    }

    /// The deadline of the request: the earliest of the caller's, the service's [own maximum](super::CallerLayer::at_most), and that of a
    /// layer around. `None` if there is none of them.
    ///
    /// For tasks and threads, which do not inherit it: see [`Deadline`].
    #[must_use]
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }
}
