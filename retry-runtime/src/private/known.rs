//! Types that rustc must know before it looks up methods on them.
//!
//! Where the macro does not know the type of an outcome, rustc infers it. Method lookup does not wait for that: on a type that is
//! still unknown, it takes the first level that might fit, and a wrong compile error follows. So generated code first calls a method on
//! the value and on the error themselves. rustc cannot do that for an unknown type, and asks the user for it.

use core::marker::PhantomData;

use crate::classify::result_like::ResultLike;

/// The types of an outcome. Nothing of it exists at run time.
#[derive(Debug)]
pub struct TypesOf<O>(PhantomData<fn(O)>);

impl<O> TypesOf<O> {
    /// Those of this outcome.
    #[inline(always)]
    pub fn outcome(_: &O) -> Self {
        Self(PhantomData)
    }

    /// Those of the outcome of this attempt. The attempt is returned as it is, because a borrowed future would need its place in the future
    /// around it for longer.
    #[inline(always)]
    pub fn attempt<F: Future<Output = O>>(attempt: F) -> (F, Self) {
        (attempt, Self(PhantomData))
    }

    /// The closure is never called. It calls a method on both.
    #[inline(always)]
    pub fn require(_: &Self, _: impl FnOnce(&O::Value, &O::Error))
    where
        O: ResultLike,
    {
    }
}

/// A method that every type has.
pub trait MustBeKnown {
    #[inline(always)]
    fn __must_be_known(&self) {}
}
impl<T: ?Sized> MustBeKnown for T {}
