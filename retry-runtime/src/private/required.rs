//! Compile-time checks that the conditions of an annotated function can have an effect.
//!
//! [`Asking`] asks each side of the outcome with a ladder of levels, as [`Known`](super::Known) does, and gives the answer as
//! a [`Tag`]. A requirement is a trait that only the tag with [`Yes`] implements, so that its message is the compiler's.
//! Nothing in here exists when the program runs.

use core::convert::Infallible;
use core::marker::PhantomData;
use core::ops::Deref;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::{io, num, str, string};

use super::Level6;
use crate::outcome::Sides;
use crate::{BreakerOpen, Marked, Retryable, TimedOut};

/// The answer to a question about the outcome `O`: [`Yes`], [`No`] or [`InChain`]. It names the outcome, so that what
/// `impl Trait` stands for in the written type is inferred.
#[derive(Debug)]
pub struct Tag<O, A>(PhantomData<fn(O, A)>);

impl<O, A> Tag<O, A> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Yes;
#[derive(Clone, Copy, Debug)]
pub struct No;
/// The search along the `source()` chain may find it, where the feature of a client is on whose errors have a status.
#[derive(Clone, Copy, Debug)]
pub struct InChain;

/// Whether one of two answers is yes.
pub trait Or<B> {
    type Is;
}
impl<B> Or<B> for Yes {
    type Is = Yes;
}
impl<B> Or<B> for No {
    type Is = B;
}
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
impl<B> Or<B> for InChain {
    type Is = Yes;
}
#[cfg(not(any(feature = "reqwest", feature = "reqwest-012")))]
impl<B> Or<B> for InChain {
    type Is = B;
}

/// Whether the error or the value can.
#[inline(always)]
pub fn either<O, A: Or<B>, B>(_: Tag<O, A>, _: Tag<O, B>) -> Tag<O, A::Is> {
    Tag::new()
}

/// For an error type of a client whose errors have no known error in their chain.
impl<O> Tag<O, Yes> {
    #[inline(always)]
    pub fn __by_itself(self) -> Self {
        self
    }
}
impl<O> Tag<O, No> {
    #[inline(always)]
    pub fn __by_itself(self) -> Self {
        self
    }
}
impl<O> Tag<O, InChain> {
    #[inline(always)]
    pub fn __by_itself(self) -> Tag<O, No> {
        Tag::new()
    }
}

/// An error type of which this crate knows more than that it is [`Retryable`], or is not.
///
/// A pointer is what its target is. There is no lifetime in it: `dyn Error + 'a` is listed as well, so that a type that
/// borrows is not asked whether it is `Retryable`, which only a `'static` one is.
pub trait Listed {
    /// Whether it can have a status.
    type Status;
    /// Whether it can be transient.
    type Transient;
}

macro_rules! listed {
    ($($status:ident, $transient:ident: $($error:ty),* $(,)?;)*) => {$($(
        impl Listed for $error {
            type Status = $status;
            type Transient = $transient;
        }
    )*)*};
}
listed! {
    // Known by the search along the chain.
    InChain, Yes:
        io::Error,
        dyn Error + '_,
        dyn Error + Send + '_,
        dyn Error + Sync + '_,
        dyn Error + Send + Sync + '_;
    No, Yes:
        TimedOut,
        BreakerOpen,
        Marked;
    // Errors without a source, of which nothing is known.
    No, No:
        Infallible,
        core::array::TryFromSliceError,
        core::cell::BorrowError,
        core::cell::BorrowMutError,
        core::char::CharTryFromError,
        core::char::ParseCharError,
        core::fmt::Error,
        core::time::TryFromFloatSecsError,
        num::ParseFloatError,
        num::ParseIntError,
        num::TryFromIntError,
        std::env::VarError,
        std::net::AddrParseError,
        std::path::StripPrefixError,
        std::sync::mpsc::RecvError,
        std::sync::mpsc::RecvTimeoutError,
        std::sync::mpsc::TryRecvError,
        std::time::SystemTimeError,
        str::ParseBoolError,
        str::Utf8Error,
        string::FromUtf16Error,
        string::FromUtf8Error;
}
#[cfg(feature = "h2")]
listed!(No, Yes: h2::Error;);
#[cfg(feature = "hyper")]
listed!(InChain, Yes: hyper::Error, hyper_util::client::legacy::Error;);
#[cfg(feature = "tonic")]
listed!(InChain, Yes: tonic::Status; No, Yes: tonic::ConnectError, tonic::TimeoutExpired;);
#[cfg(feature = "tower")]
listed!(No, Yes: tower::timeout::error::Elapsed;);

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: Listed + ?Sized> Listed for $pointer {
            type Status = T::Status;
            type Transient = T::Transient;
        }
    )*};
}
pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<O> Level6<'_, O> {
    /// Questions about the type of this outcome.
    #[inline(always)]
    pub fn __asking(&self) -> Asking<O> {
        Asking(Asking2(Asking3(Asking4(Asking5(Asking6(Asking7(PhantomData)))))))
    }
}

/// What the type of an outcome tells, by the first level that fits.
#[derive(Debug)]
pub struct Asking<O>(Asking2<O>);
#[derive(Debug)]
pub struct Asking2<O>(Asking3<O>);
#[derive(Debug)]
pub struct Asking3<O>(Asking4<O>);
#[derive(Debug)]
pub struct Asking4<O>(Asking5<O>);
#[derive(Debug)]
pub struct Asking5<O>(Asking6<O>);
#[derive(Debug)]
pub struct Asking6<O>(Asking7<O>);
#[derive(Debug)]
pub struct Asking7<O>(PhantomData<fn(O)>);

macro_rules! levels {
    ($($level:ident => $next:ident),*) => {$(
        impl<O> Deref for $level<O> {
            type Target = $next<O>;
            #[inline(always)]
            fn deref(&self) -> &$next<O> {
                &self.0
            }
        }
    )*};
}
levels!(Asking => Asking2, Asking2 => Asking3, Asking3 => Asking4, Asking4 => Asking5, Asking5 => Asking6, Asking6 => Asking7);

/// The methods of one level: a question, and the answer of each type for which the bound holds.
macro_rules! level {
    ($level:ident<O: $bound:path> $($question:ident => $answer:ty),*) => {
        impl<O: $bound> $level<O> {$(
            #[inline(always)]
            pub fn $question(&self) -> Tag<O, $answer> {
                Tag::new()
            }
        )*}
    };
}
