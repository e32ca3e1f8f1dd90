//! The future of an attempt without a time limit, where there are neither spans nor connection events: the future itself.

use core::fmt;
use core::marker::PhantomData;

use crate::engine::call::Call;
use crate::engine::core::ActiveCall;

/// The future itself, because every byte around it is paid for by calls that succeed.
pub(crate) type InSpan<'e, C, F> = <PhantomData<(&'e (), C, F)> as Bare>::Future;

/// Uses the parameters that the future does not depend on.
pub trait Bare {
    type Future;
}

impl<C, F: Future> Bare for PhantomData<(&(), C, F)> {
    type Future = F;
}

#[inline(always)]
pub(crate) fn in_span<C: Call, F: Future>(_: &ActiveCall<C>, future: F) -> F {
    future
}

/// An attempt that has begun, while its future is created.
pub struct Begun<'e, C: Call>(PhantomData<&'e ActiveCall<C>>);

impl<'e, C: Call> Begun<'e, C> {
    #[inline(always)]
    pub(crate) fn new(_: &'e ActiveCall<C>) -> Self {
        Self(PhantomData)
    }

    #[inline(always)]
    pub fn run<F: IntoFuture>(self, future: F) -> F::IntoFuture {
        future.into_future()
    }
}

impl<C: Call> fmt::Debug for Begun<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}
