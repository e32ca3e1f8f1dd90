//! Classification of errors that borrow.
//!
//! A `dyn Error + 'a` cannot be downcast, because that needs `'static`, but its sources can. Method lookup ignores lifetimes,
//! so [`classify`](super::classify) alone would take it for a `dyn Error + 'static`, and the borrow checker would reject the function.
//!
//! An alias such as `type Out<'a> = …` hides from the attribute whether the error borrows. So the attribute passes the type
//! as a function of the lifetime, and [`Lifetimes`] finds out whether the error is the same type for every lifetime.

use core::marker::PhantomData;
use core::ops::Deref;

use super::classify::{Borrowed, Probe};
use super::error_object::ErrorObject;
use crate::classify::result_like::ResultLike;

/// A function pointer that maps a lifetime to the type of the outcome: `for<'x> fn(&'x ()) -> Out<'x>`.
pub trait OutcomeAt<'x> {
    /// The type of the outcome's error object for this lifetime.
    type Object: ?Sized;
}

impl<'x, F, O> OutcomeAt<'x> for F
where
    F: FnOnce(&'x ()) -> O,
    O: ResultLike<Error: ErrorObject>,
{
    type Object = <O::Error as ErrorObject>::Object;
}

/// Finds out whether the error of an outcome is an error object that borrows. Method lookup tries its own methods first,
/// then those of [`MayBorrow`], then those of `NoObject`, and takes the first whose bound holds.
#[derive(Debug)]
pub struct Lifetimes<F>(MayBorrow<F>);
#[derive(Debug)]
pub struct MayBorrow<F>(NoObject<F>);
#[derive(Debug)]
pub struct NoObject<F>(PhantomData<fn(F)>);

impl<F> Lifetimes<F> {
    #[inline(always)]
    pub const fn of() -> Self {
        Self(MayBorrow::of())
    }
}

impl<F> MayBorrow<F> {
    /// Starts at the second level, for a type that cannot be written for every lifetime. Every error object is then treated
    /// as one that borrows.
    #[inline(always)]
    pub const fn of() -> Self {
        Self(NoObject(PhantomData))
    }
}

impl<F> Deref for Lifetimes<F> {
    type Target = MayBorrow<F>;
    #[inline(always)]
    fn deref(&self) -> &MayBorrow<F> {
        &self.0
    }
}

impl<F> Deref for MayBorrow<F> {
    type Target = NoObject<F>;
    #[inline(always)]
    fn deref(&self) -> &NoObject<F> {
        &self.0
    }
}

/// First level: the error is an object whose type is the same for every lifetime, so it is `'static`.
impl<F, T: ?Sized> Lifetimes<F>
where
    F: for<'x> OutcomeAt<'x, Object = T>,
{
    #[inline(always)]
    pub fn __classify<O: ResultLike>(&self, _: &O) -> Probe<O> {
        Probe::known()
    }
}

/// Second level: the error is an object whose type depends on the lifetime, so it borrows.
impl<F> MayBorrow<F>
where
    F: for<'x> OutcomeAt<'x>,
{
    #[inline(always)]
    pub fn __classify<O: ResultLike>(&self, _: &O) -> Probe<O, Borrowed> {
        Probe::known()
    }
}

/// Last level: the error is not an object, and is classified by its type.
impl<F> NoObject<F> {
    #[inline(always)]
    pub fn __classify<O: ResultLike>(&self, _: &O) -> Probe<O> {
        Probe::known()
    }
}
