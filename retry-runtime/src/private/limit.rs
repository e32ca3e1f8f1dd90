//! The time limit of an attempt whose policy is known only at run time.

use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::AtomicBool;

use crate::classify::timed_out::FromTimedOut;
use crate::engine::cannot_cut::CannotCut;
use crate::engine::time_limit::{Limited, limited};

/// Chooses the kind of time limit by the type of the outcome: an attempt can be cut off if its outcome can be made from a
/// `TimedOut`. Whether it is cut off, only the policy decides at run time, so a type that cannot be made from one is not a
/// compile error here: `CannotCut` warns, once for the function that `warned` belongs to.
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
    pub fn __cut(&self, _: &'static AtomicBool) -> Limited<O> {
        limited()
    }
}
impl<O> MaybeCutting<O> {
    #[inline(always)]
    pub fn __cut(&self, warned: &'static AtomicBool) -> CannotCut<O> {
        CannotCut::new(warned)
    }
}
