//! Types that rustc must know before it looks up methods on them.
//!
//! If the macro does not know the type of an outcome, rustc infers it. Method lookup does not wait for that: on a type that is
//! still unknown, it takes the first level that might fit, and a wrong compile error follows. So generated code first calls a method on
//! the value and on the error themselves. rustc cannot do that for an unknown type, and asks the user for it.

use core::marker::PhantomData;

use super::classify::Probe;
use super::limit::Cutting;
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

    /// The closure is never called. It calls a method on both, whose value is [`Known`]. For a type that rustc does not know, it
    /// has no type, and rustc reports nothing about calls on a value without one. So one error does not cause others.
    #[inline(always)]
    pub fn require<K: Default>(_: &Self, _: impl FnOnce(&O::Value, &O::Error) -> K) -> K
    where
        O: ResultLike,
    {
        K::default()
    }
}

/// The types are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known;

impl Known {
    #[inline(always)]
    pub fn __and(self, _: Self) -> Self {
        self
    }

    /// The first question about the outcome. Its bound has been required already.
    #[inline(always)]
    pub fn __classify<O>(self, _: &O) -> Probe<O> {
        Probe::known()
    }

    /// The question about the time limit.
    #[inline(always)]
    pub fn __cutting<O>(self, _: TypesOf<O>) -> Cutting<O> {
        Cutting::of()
    }
}

/// A method that every type has.
pub trait MustBeKnown {
    #[inline(always)]
    fn __known(&self) -> Known {
        Known
    }
}
impl<T: ?Sized> MustBeKnown for T {}
