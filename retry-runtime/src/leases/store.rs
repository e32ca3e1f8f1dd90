//! The store of a fleet's tokens.

use core::fmt::Display;
use core::time::Duration;
use std::sync::Arc;

/// A store with a pool of tokens, which the processes of a fleet share.
///
/// The library has no implementation, because it does not depend on a client. The folder `integrations/redis` of the repository has
/// one for Redis.
///
/// The pool has as many tokens as [`LeaseRequest::capacity`] when it is created. One request does the following in one step,
/// which no other request may interrupt:
///
/// 1. Read the pool. If it does not exist, create it with `capacity` tokens.
/// 2. Add `credit` to it, up to `capacity`.
/// 3. Take up to `want` tokens from it, as far as it has them.
/// 4. Keep the rest for [`time_to_live`](LeaseRequest::time_to_live), after which the pool does not exist any more.
/// 5. Return the number of tokens taken, and the rest.
///
/// ```
/// use std::convert::Infallible;
/// use std::sync::Mutex;
/// use retry_runtime::fleet::{Lease, LeaseRequest, LeaseStore};
///
/// /// A pool in memory, for tests.
/// #[derive(Default)]
/// struct Pool(Mutex<Option<u32>>);
///
/// impl LeaseStore for Pool {
///     type Error = Infallible;
///
///     async fn lease(&self, request: LeaseRequest) -> Result<Lease, Infallible> {
///         let mut pool = self.0.lock().unwrap();
///         let tokens = pool.unwrap_or(request.capacity).saturating_add(request.credit);
///         let tokens = tokens.min(request.capacity);
///         let granted = tokens.min(request.want);
///         *pool = Some(tokens - granted);
///         Ok(Lease { granted, left: tokens - granted })
///     }
/// }
/// ```
///
/// # Errors
///
/// The store need not be reliable. Errors, late or missing answers and panics all have the same effect: the process gets no
/// lease, and the credit of the request is lost. The request is not repeated, because the store may have processed it. An answer
/// that grants more than the request wants, or leaves more than the capacity, counts as an error.
///
/// # Cancel safety
///
/// The future is dropped when [`Budget::store_timeout`](crate::Budget::store_timeout) has passed. It must not block its thread.
/// At most one future of a budget exists at a time.
pub trait LeaseStore: Send + Sync {
    /// The error, which is a part of the event [`StoreFailed`](crate::fleet::LeaseEventKind::StoreFailed).
    type Error: Display;

    /// Adds the credit to the pool, and takes a lease from it, in one step.
    fn lease(&self, request: LeaseRequest) -> impl Future<Output = Result<Lease, Self::Error>> + Send;
}

/// A request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRequest {
    /// The tokens to add to the pool: what the successes of this process have earned, and what is left of its last lease. At most
    /// `capacity`.
    pub credit: u32,
    /// The largest number of tokens to take from the pool. May be 0.
    pub want: u32,
    /// The largest number of tokens in the pool, which it also has when it is created.
    pub capacity: u32,
    /// The time for which the pool exists after this request, unless another one follows.
    pub time_to_live: Duration,
}

impl LeaseRequest {
    /// Creates a request, for tests of a store.
    #[must_use]
    pub const fn new(credit: u32, want: u32, capacity: u32, time_to_live: Duration) -> Self {
        Self { credit, want, capacity, time_to_live }
    }
}

/// The answer of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The number of tokens taken from the pool: at most [`LeaseRequest::want`].
    pub granted: u32,
    /// The number of tokens that the pool has left: at most [`LeaseRequest::capacity`].
    pub left: u32,
}

impl<S: LeaseStore + ?Sized> LeaseStore for &S {
    type Error = S::Error;

    fn lease(&self, request: LeaseRequest) -> impl Future<Output = Result<Lease, Self::Error>> + Send {
        (**self).lease(request)
    }
}

impl<S: LeaseStore + ?Sized> LeaseStore for Arc<S> {
    type Error = S::Error;

    fn lease(&self, request: LeaseRequest) -> impl Future<Output = Result<Lease, Self::Error>> + Send {
        (**self).lease(request)
    }
}
