//! The time limit of an attempt whose policy is only known at run time.

use core::marker::PhantomData;
use core::ops::Deref;

use crate::classify::timed_out::FromTimedOut;
use crate::engine::time_limit::{Limited, ScopedOnly, limited};

/// Whether an attempt can be cut off, where only the run-time policy knows whether it is to be.
#[derive(Debug)]
pub struct Cutting<O>(MaybeCutting<O>);
#[derive(Debug)]
pub struct MaybeCutting<O>(PhantomData<fn() -> O>);

impl<O> Cutting<O> {
    #[inline(always)]
    pub const fn of() -> Self {
        Self(MaybeCutting(PhantomData))
    }
}

impl<O> Deref for Cutting<O> {
    type Target = MaybeCutting<O>;
    #[inline(always)]
    fn deref(&self) -> &MaybeCutting<O> {
        &self.0
    }
}

impl<O: FromTimedOut> Cutting<O> {
    #[inline(always)]
    pub fn __cut(&self) -> Limited<O> {
        limited()
    }
}
impl<O> MaybeCutting<O> {
    #[inline(always)]
    pub fn __cut(&self) -> ScopedOnly {
        ScopedOnly
    }
}
