//! What an attempt gives, as far as a bound can say it.

use core::any::Any;
use core::fmt::{self, Display};

use crate::condition::{Condition, Findings, Verdict};
use crate::pause::Remains;
use crate::{Class, Failure, Policy, Retryable};

/// What an attempt gives: a `Result` whose error is [`Retryable`], an `Option`, where `None` is a failure of which
/// nothing is known, or any type that is [`Retryable`] itself.
///
/// [`Policy::run`](crate::Policy::run) and [`Executor::next`](crate::Executor::next) ask for it. The attribute and
/// [`verdict!`](crate::verdict) do not: they find out about any type, so also where the error is an `anyhow::Error`
/// or the answer a type of yours that implements `Retryable`. Here only the answers of this crate are known, such as
/// `reqwest::Response`; for that, an answer may not borrow. For one that does, take the verdict of `verdict!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be classified as success or failure",
    label = "neither a `Result` with an error that is `Retryable` and has a `Display`, nor an `Option`, nor `Retryable` itself",
    note = "derive it for the error: `#[derive(Retryable)]`; in a loop by hand `let verdict = verdict!(&outcome);` tells about any type",
    note = "the types of reqwest, hyper, tonic and http are known with the feature of that name of `retry-runtime`"
)]
pub trait Outcome {
    #[doc(hidden)]
    fn findings(&self) -> Findings;

    /// The text of the failure for events.
    #[doc(hidden)]
    fn reason(&self) -> Option<&dyn Display> {
        None
    }

    /// What is still to be done with it, when it is not the last one.
    #[doc(hidden)]
    fn put_away(self, _: &Policy) -> Remains
    where
        Self: Sized,
    {
        Remains::none()
    }
}

impl<T: 'static, E: Retryable + Display> Outcome for Result<T, E> {
    fn findings(&self) -> Findings {
        Findings::new(self.as_ref().ok().and_then(known_answer), self.as_ref().err().map(Failure::of))
    }
    fn reason(&self) -> Option<&dyn Display> {
        self.as_ref().err().map(|error| error as &dyn Display)
    }
    fn put_away(self, policy: &Policy) -> Remains {
        crate::http::put_away(&mut self.ok(), policy)
    }
}

impl<T: 'static> Outcome for Option<T> {
    fn findings(&self) -> Findings {
        let error = self.is_none().then_some(Failure::new(Class::Unknown));
        Findings::new(self.as_ref().and_then(known_answer), error)
    }
    fn put_away(mut self, policy: &Policy) -> Remains {
        crate::http::put_away(&mut self, policy)
    }
}

impl<R: Retryable> Outcome for R {
    fn findings(&self) -> Findings {
        Findings::new(Some(Failure::of(self)), None)
    }
}

fn known_answer<T: 'static>(answer: &T) -> Option<Failure> {
    crate::http::known_answer(answer as &dyn Any)
}

/// Says what an outcome of type `O` is worth: a [`Condition`] or a [`Verdict`].
pub trait Judge<O> {
    #[doc(hidden)]
    fn judge(&self, outcome: &O) -> Verdict;

    #[doc(hidden)]
    fn reason<'a>(&self, outcome: &'a O) -> Option<&'a dyn Display>;

    #[doc(hidden)]
    fn put_away(&self, outcome: O, policy: &Policy) -> Remains;

    /// The connection that an answer came over.
    #[cfg(feature = "wire")]
    #[doc(hidden)]
    fn connection(&self, _: &O) -> Option<crate::Connection> {
        None
    }
}

impl<O: Outcome> Judge<O> for &Condition {
    fn judge(&self, outcome: &O) -> Verdict {
        self.verdict(outcome.findings())
    }
    fn reason<'a>(&self, outcome: &'a O) -> Option<&'a dyn Display> {
        outcome.reason()
    }
    fn put_away(&self, outcome: O, policy: &Policy) -> Remains {
        outcome.put_away(policy)
    }
    #[cfg(feature = "wire")]
    fn connection(&self, outcome: &O) -> Option<crate::Connection> {
        outcome.findings().connection()
    }
}

impl<O> Judge<O> for Verdict {
    fn judge(&self, _: &O) -> Verdict {
        *self
    }
    fn reason<'a>(&self, _: &'a O) -> Option<&'a dyn Display> {
        None
    }
    fn put_away(&self, _: O, _: &Policy) -> Remains {
        Remains::none()
    }
}

/// The two sides of an outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no outcome that can be tried again",
    label = "neither a `Result`, nor an `Option`, nor a type that implements `Retryable`",
    note = "return a `Result` or an `Option`, or implement `retry_runtime::Retryable` for the type"
)]
pub trait Sides {
    /// What it gives when there is no error.
    type Answer;
    /// The error.
    type Error;
    /// The answer, if it is one.
    fn answer(&self) -> Option<&Self::Answer>;
    /// The error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
    /// The answer by value.
    fn into_answer(self) -> Option<Self::Answer>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Sides for Result<T, E> {
    type Answer = T;
    type Error = E;
    #[inline(always)]
    fn answer(&self) -> Option<&T> {
        self.as_ref().ok()
    }
    #[inline(always)]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
    fn into_answer(self) -> Option<T> {
        self.ok()
    }
}

#[diagnostic::do_not_recommend]
impl<T> Sides for Option<T> {
    type Answer = T;
    type Error = NoValue;
    #[inline(always)]
    fn answer(&self) -> Option<&T> {
        self.as_ref()
    }
    #[inline(always)]
    fn error(&self) -> Option<&NoValue> {
        if self.is_none() { Some(&NoValue) } else { None }
    }
    fn into_answer(self) -> Option<T> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<R: Retryable> Sides for R {
    type Answer = R;
    type Error = core::convert::Infallible;
    #[inline(always)]
    fn answer(&self) -> Option<&R> {
        Some(self)
    }
    #[inline(always)]
    fn error(&self) -> Option<&Self::Error> {
        None
    }
    fn into_answer(self) -> Option<R> {
        Some(self)
    }
}

/// What stands for the error of an `Option` that is `None`: nothing is known of it.
#[derive(Clone, Copy, Debug)]
pub struct NoValue;

impl Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value")
    }
}
