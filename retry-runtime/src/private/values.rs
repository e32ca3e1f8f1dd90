//! Checks of the values that the attribute and the derive macro refer to: statuses and delays.

use core::ops::{Deref, RangeInclusive};
use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::policy::attempt::Attempt;

/// The attempt that `retrying!` binds if its arguments are wrong. It is never called, because the expansion contains a compile error.
pub fn attempt_of_an_invalid_call() -> &'static Attempt {
    unreachable!("the call does not compile")
}

/// The type of a constant in `on_status`.
#[diagnostic::on_unimplemented(
    message = "expected a status: a constant of type `u16` or `http::StatusCode`",
    label = "`{Self}` is not a status",
    note = "`http::StatusCode` is a status with the feature `http` of `retry-runtime`, or one that includes it, such as `reqwest`"
)]
pub trait StatusConstant {}

/// A constant in `on_status`. The method that reads it must be `const`, which a trait's method cannot be, so each type has
/// an inherent one.
#[derive(Debug)]
pub struct Code<T>(Constant<T>);
#[derive(Debug)]
pub struct Constant<T>(T);

impl<T> Code<T> {
    #[inline(always)]
    pub const fn new(constant: T) -> Self {
        Self(Constant(constant))
    }
}

impl Code<u16> {
    #[inline(always)]
    pub const fn __code(&self) -> u16 {
        self.0.0
    }
}
#[cfg(feature = "http")]
impl Code<http::StatusCode> {
    #[inline(always)]
    pub const fn __code(&self) -> u16 {
        self.0.0.as_u16()
    }
}

impl<T> Deref for Code<T> {
    type Target = Constant<T>;
    fn deref(&self) -> &Constant<T> {
        &self.0
    }
}

/// The method for all other types. No type fulfils its bound, so the bound's message is the compile error.
impl<T: Sized> Constant<T> {
    // On one line, because rustc quotes the line in the error.
    #[rustfmt::skip]
    pub const fn __code(&self) -> u16 where T: StatusConstant { 0 }
}

/// The range of a single constant in `on_status`, whose expression generated code writes only once.
#[inline(always)]
pub const fn status(code: u16) -> RangeInclusive<u16> {
    code..=code
}

/// A range with a constant in `on_status`. With a range expression, rustc's error for another type would point into the
/// standard library.
#[inline(always)]
pub const fn statuses(first: u16, last: u16) -> RangeInclusive<u16> {
    first..=last
}

/// The type of a field in `#[retryable(status = field)]`.
#[diagnostic::on_unimplemented(
    message = "expected a status: a field of type `u16`, or of a `Copy` type that implements `Into<u16>`",
    label = "`{Self}` is not a status"
)]
pub trait StatusField {
    fn status(&self) -> u16;
}
// `do_not_recommend`, here and below: otherwise rustc reports the bounds of the implementation instead of the message above.
#[diagnostic::do_not_recommend]
impl<T: Copy + Into<u16>> StatusField for T {
    fn status(&self) -> u16 {
        (*self).into()
    }
}

/// The type of a field in `#[retryable(server_delay = field)]`.
#[diagnostic::on_unimplemented(
    message = "expected a delay: a field of type `Duration` or `Option<Duration>`",
    label = "`{Self}` is not a delay"
)]
pub trait DelayField {
    fn delay(&self) -> Option<Duration>;
}
#[diagnostic::do_not_recommend]
impl<T: Copy + Into<Option<Duration>>> DelayField for T {
    fn delay(&self) -> Option<Duration> {
        (*self).into()
    }
}

/// The status in a field.
pub fn status_in<T: StatusField>(field: &T) -> u16 {
    field.status()
}

/// The class of a variant that has a status: the status decides.
#[must_use]
pub fn class_of(status: Option<u16>) -> Class {
    status.map_or(Class::Unknown, Class::of_status)
}

/// The failure that the methods of a derived error describe, for a variant without a source.
pub fn from_methods<R: Retryable + ?Sized>(error: &R) -> Failure {
    Failure::from_methods(error)
}

/// The delay in a field.
pub fn delay_in<T: DelayField>(field: &T) -> Option<Duration> {
    field.delay()
}
