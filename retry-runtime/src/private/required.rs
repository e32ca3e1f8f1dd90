//! Compile-time checks that the conditions of an annotated function can have an effect.
//!
//! [`Inspect`] inspects each side of an outcome with levels that dereference to each other: method lookup takes the first level
//! that has the method and whose bounds hold. It answers with a
//! [`Tag`]. A requirement is a trait that is implemented only for the answer [`Yes`], so that any other answer is a compile
//! error with the trait's message. None of this exists at run time.

use core::convert::Infallible;
use core::marker::PhantomData;
use core::ops::Deref;
use std::error::Error;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::{io, num, str, string};

use super::classify::{Described, Kind, NotAnOutcome, Response};
use crate::classify::breaker_open::BreakerOpen;
use crate::classify::mark::Marked;
use crate::classify::result_like::ResultLike;
use crate::classify::retryable::Retryable;
use crate::classify::timed_out::TimedOut;

/// The answer to a question about the outcome `O`: [`Yes`], [`No`] or [`InChain`]. It has the type of the outcome as a
/// parameter, so that rustc infers the types that `impl Trait` stands for in the written type.
#[derive(Debug)]
pub struct Tag<O, A>(PhantomData<fn(O, A)>);

#[derive(Clone, Copy, Debug)]
pub struct Yes;
#[derive(Clone, Copy, Debug)]
pub struct No;
/// Yes if the search along the `source()` chain recognizes errors that have a status: those of a client whose feature is on.
#[derive(Clone, Copy, Debug)]
pub struct InChain;

/// The answer for an outcome, from the answers of its two sides.
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

/// Yes if one of the two sides answers yes.
#[inline(always)]
pub fn either<O, A: Or<B>, B>(_: Tag<O, A>, _: Tag<O, B>) -> Tag<O, A::Is> {
    Tag(PhantomData)
}

/// The answer without the search along the chain, for the error types of clients that never have another client's error in
/// their chain.
impl<O> Tag<O, InChain> {
    #[inline(always)]
    pub fn __without_chain(self) -> Tag<O, No> {
        Tag(PhantomData)
    }
}
impl<O> Tag<O, Yes> {
    #[inline(always)]
    pub fn __without_chain(self) -> Self {
        self
    }
}
impl<O> Tag<O, No> {
    #[inline(always)]
    pub fn __without_chain(self) -> Self {
        self
    }
}

/// An error type whose answers are listed here, whether it is [`Retryable`] or not. A pointer has the answers of its target.
///
/// Error objects are listed with any lifetime, because the level for `Retryable` must not be reached for one that borrows:
/// only a `'static` one implements the trait, but method lookup ignores lifetimes.
pub trait Listed {
    /// Can it carry a status?
    type Status;
    /// Can it be transient?
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
    InChain, Yes:
        io::Error,
        dyn Error + '_,
        dyn Error + Send + '_,
        dyn Error + Sync + '_,
        dyn Error + Send + Sync + '_;
    No, Yes:
        BreakerOpen,
        Marked,
        TimedOut;
    // Errors of the standard library that have no source.
    No, No:
        Infallible,
        core::array::TryFromSliceError,
        core::cell::BorrowError,
        core::cell::BorrowMutError,
        core::char::CharTryFromError,
        core::char::ParseCharError,
        core::fmt::Error,
        core::time::TryFromFloatSecsError,
        mpsc::RecvError,
        mpsc::RecvTimeoutError,
        mpsc::TryRecvError,
        num::ParseFloatError,
        num::ParseIntError,
        num::TryFromIntError,
        std::env::VarError,
        std::net::AddrParseError,
        std::path::StripPrefixError,
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

/// A value that always has a status, so that its class never decides whether it is retried.
pub trait AlwaysStatus {}
#[cfg(feature = "http")]
impl<B> AlwaysStatus for ::http::Response<B> {}
#[cfg(feature = "reqwest")]
impl AlwaysStatus for reqwest::Response {}
#[cfg(feature = "reqwest-012")]
impl AlwaysStatus for reqwest_012::Response {}

/// A tag for the second implementation of each requirement. With a single implementation, rustc would infer the tag from
/// it, and then report a mismatch with the tag that the method returns instead of the message of the trait.
#[derive(Clone, Copy, Debug)]
pub struct WithOnOk;

/// For `server_delay` without `on_ok`. It is called only for values that are retried, and without `on_ok` those are values whose type is
/// [`Retryable`]. The parameter says how the value is classified.
#[diagnostic::on_unimplemented(
    message = "`server_delay` has no effect: values are never retried",
    label = "the value in this type cannot be classified as a failure",
    note = "write `on_ok`, or implement `retry_runtime::Retryable` for the value; the delay of an error is read from `Retryable::server_delay`"
)]
pub trait ReadsServerDelay<V> {}
#[diagnostic::do_not_recommend]
impl<O> ReadsServerDelay<Described> for O {}
#[diagnostic::do_not_recommend]
impl<O> ReadsServerDelay<Response> for O {}

/// The answer about the value of the outcome `O`, among all answers.
pub trait AboutValue<O> {
    type Answer;
}
impl<O, V, E, T> AboutValue<O> for Kind<O, V, E, T> {
    type Answer = V;
}
impl<O> AboutValue<O> for NotAnOutcome<O> {
    type Answer = Described;
}

/// Makes a `server_delay` that is never called a compile error.
#[inline(always)]
pub fn require_server_delay_is_read<O: ReadsServerDelay<K::Answer>, K: AboutValue<O>>(_: K) {}

/// Questions about the type of an outcome. The first level that fits answers.
#[derive(Debug)]
pub struct Inspect<O>(Inspect2<O>);
#[derive(Debug)]
pub struct Inspect2<O>(Inspect3<O>);
#[derive(Debug)]
pub struct Inspect3<O>(Inspect4<O>);
#[derive(Debug)]
pub struct Inspect4<O>(Inspect5<O>);
#[derive(Debug)]
pub struct Inspect5<O>(Inspect6<O>);
#[derive(Debug)]
pub struct Inspect6<O>(Inspect7<O>);
#[derive(Debug)]
pub struct Inspect7<O>(PhantomData<fn(O)>);

/// Asks about the type of this outcome.
#[inline(always)]
pub fn inspect<O>(_: &O) -> Inspect<O> {
    Inspect(Inspect2(Inspect3(Inspect4(Inspect5(Inspect6(Inspect7(PhantomData)))))))
}

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
levels! {
    Inspect => Inspect2, Inspect2 => Inspect3, Inspect3 => Inspect4, Inspect4 => Inspect5, Inspect5 => Inspect6, Inspect6 => Inspect7
}

/// The questions that one level answers.
macro_rules! answers {
    ($($question:ident: $value:ty),* $(,)?) => {$(
        #[inline(always)]
        pub fn $question(&self) -> Tag<O, $value> {
            Tag(PhantomData)
        }
    )*};
}

/// Can the error carry a status, and can it be transient? First level: the answers of the list.
impl<O: ResultLike<Error: Listed>> Inspect<O> {
    answers!(__error_status: <O::Error as Listed>::Status, __error_transient: <O::Error as Listed>::Transient);
}
/// Second level: an error that classifies itself.
impl<O: ResultLike<Error: Retryable>> Inspect2<O> {
    answers!(__error_status: Yes, __error_transient: Yes);
}
/// Third level: a boxed error, by its chain.
impl<O: ResultLike<Error: Deref<Target = dyn Error + Send + Sync>>> Inspect3<O> {
    answers!(__error_status: InChain, __error_transient: Yes);
}
/// Fourth level: any other error, by its sources.
impl<O: ResultLike<Error: Error>> Inspect4<O> {
    answers!(__error_status: InChain, __error_transient: Yes);
}
/// Can the value fail, carry a status, or be transient without a status?
impl<O: ResultLike<Value: AlwaysStatus>> Inspect4<O> {
    answers!(__value_transient: No);
}
impl<O: ResultLike<Value: Retryable>> Inspect5<O> {
    answers!(__value_fails: Yes, __value_status: Yes, __value_transient: Yes);
}
impl<O: ResultLike> Inspect6<O> {
    answers! {
        __error_status: No,
        __error_transient: No,
        __value_fails: No,
        __value_status: No,
        __value_transient: No,
    }
}
/// Not an outcome. Every answer is yes, so that this is the only compile error.
impl<O> Inspect7<O> {
    answers! {
        __error_status: Yes,
        __error_transient: Yes,
        __value_fails: Yes,
        __value_status: Yes,
        __value_transient: Yes,
    }
}

/// For `on_status = [503]`.
#[diagnostic::on_unimplemented(
    message = "`on_status` has no effect: neither the value nor the error can carry a status",
    label = "no part of this type has a status",
    note = "the types of an HTTP client have one with its feature of `retry-runtime`: `reqwest`, `reqwest-012`, or `http` for `http::Response`",
    note = "an error of your own, which may wrap that of another crate, has one with `#[derive(Retryable)]` and `#[retryable(status = field)]`",
    note = "without a status, `on_error` and `on_ok` choose what is retried"
)]
pub trait CarriesStatus<A> {}

/// For `on_status = [503]` where a type of reqwest is written.
#[cfg_attr(
    not(feature = "reqwest"),
    diagnostic::on_unimplemented(
        message = "`on_status` has no effect: the types of `reqwest` are unknown without the feature `reqwest` of `retry-runtime`",
        label = "no status is read from this type",
        note = "enable the feature with `cargo add retry-runtime --features reqwest`; for reqwest 0.12 it is `reqwest-012`"
    )
)]
#[cfg_attr(
    feature = "reqwest",
    diagnostic::on_unimplemented(
        message = "`on_status` has no effect: these types of `reqwest` are not the ones that `retry-runtime` supports",
        label = "no status is read from this type",
        note = "the feature `reqwest` of `retry-runtime` supports the async types of reqwest 0.13, and the feature `reqwest-012` those of reqwest 0.12"
    )
)]
pub trait CarriesStatusOfReqwest<A> {}

/// For `on_error = "transient"`.
#[diagnostic::on_unimplemented(
    message = "`on_error = \"transient\"` never retries: no outcome can be classified as transient",
    label = "no part of this type can be classified as transient",
    note = "choose the errors with a closure such as `on_error = |error| …`, or write `on_error = \"any\"`",
    note = "for your own error, derive `Retryable`; for a client's error, enable the feature of `retry-runtime` named after the client"
)]
pub trait CanBeTransient<A> {}

/// For `on_status = []` without another condition. Transient errors are still retried then, so it is an error only for an
/// outcome that cannot be transient without a status.
#[diagnostic::on_unimplemented(
    message = "`on_status = []` retries nothing: no outcome without a status can be classified as transient",
    label = "no part of this type can be transient without a status",
    note = "list the statuses to retry, or choose what is retried with `on_error` or `on_ok`",
    note = "for your own error, derive `Retryable`"
)]
pub trait CanBeTransientWithoutStatus<A> {}

/// For `on_error = "never"` without another condition. Responses are still retried by their statuses then, so it is an
/// error only for a value that cannot be a failure.
#[diagnostic::on_unimplemented(
    message = "`on_error = \"never\"` retries nothing: every value is a success",
    label = "only the error in this type is a failure",
    note = "list the statuses to retry in `on_status`, or choose values with `on_ok`",
    note = "the response of an HTTP client can be a failure with its feature of `retry-runtime`"
)]
pub trait ValueCanFail<A> {}

/// Implements each requirement for [`Yes`] and, for the reason that is given there, for [`WithOnOk`].
/// `do_not_recommend` keeps rustc from listing these implementations with the error.
macro_rules! only_yes {
    ($($requirement:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<O> $requirement<Yes> for O {}
        #[diagnostic::do_not_recommend]
        impl<O> $requirement<WithOnOk> for O {}
    )*};
}
only_yes!(CarriesStatus, CarriesStatusOfReqwest, CanBeTransient, CanBeTransientWithoutStatus, ValueCanFail);

// Generated code writes out `O` for each of these, so that the compile error points at the type in the function's signature.

#[inline(always)]
pub fn require_status<O: CarriesStatus<A>, A>(_: Tag<O, A>) {}

#[inline(always)]
pub fn require_status_of_reqwest<O: CarriesStatusOfReqwest<A>, A>(_: Tag<O, A>) {}

#[inline(always)]
pub fn require_transient<O: CanBeTransient<A>, A>(_: Tag<O, A>) {}

#[inline(always)]
pub fn require_transient_without_status<O: CanBeTransientWithoutStatus<A>, A>(_: Tag<O, A>) {}

#[inline(always)]
pub fn require_value_that_fails<O: ValueCanFail<A>, A>(_: Tag<O, A>) {}
