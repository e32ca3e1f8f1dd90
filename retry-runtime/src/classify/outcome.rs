//! What an attempt gives, as far as a bound can say it.

use core::any::Any;
use core::fmt::{self, Display};

use crate::classify::class::{Class, Failure, Retryable};
use crate::classify::condition::{Classification, Condition, Verdict};
use crate::engine::pause::DrainBody;
use crate::policy::builder::Policy;

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
    fn classification(&self) -> Classification;

    /// The text of the failure for events.
    #[doc(hidden)]
    fn reason(&self) -> Option<&dyn Display> {
        None
    }

    /// What is still to be done with it, when it is not the last one.
    #[doc(hidden)]
    fn discard(self, _: &Policy) -> DrainBody
    where
        Self: Sized,
    {
        DrainBody::none()
    }
}

impl<T: 'static, E: Retryable + Display> Outcome for Result<T, E> {
    fn classification(&self) -> Classification {
        Classification::new(self.as_ref().ok().and_then(known_answer), self.as_ref().err().map(Failure::of))
    }
    fn reason(&self) -> Option<&dyn Display> {
        self.as_ref().err().map(|error| error as &dyn Display)
    }
    fn discard(self, policy: &Policy) -> DrainBody {
        crate::classify::clients::discard(&mut self.ok(), policy)
    }
}

impl<T: 'static> Outcome for Option<T> {
    fn classification(&self) -> Classification {
        let error = self.is_none().then_some(Failure::new(Class::Unknown));
        Classification::new(self.as_ref().and_then(known_answer), error)
    }
    fn discard(mut self, policy: &Policy) -> DrainBody {
        crate::classify::clients::discard(&mut self, policy)
    }
}

impl<R: Retryable> Outcome for R {
    fn classification(&self) -> Classification {
        Classification::new(Some(Failure::of(self)), None)
    }
}

fn known_answer<T: 'static>(value: &T) -> Option<Failure> {
    crate::classify::clients::known_answer(value as &dyn Any)
}

/// Says what an outcome of type `O` is worth: a [`Condition`] or a [`Verdict`].
pub trait Classifier<O> {
    #[doc(hidden)]
    fn verdict(&self, outcome: &O) -> Verdict;

    #[doc(hidden)]
    fn reason<'a>(&self, outcome: &'a O) -> Option<&'a dyn Display>;

    #[doc(hidden)]
    fn discard(&self, outcome: O, policy: &Policy) -> DrainBody;

    /// The connection that an answer came over.
    #[cfg(feature = "connection-events")]
    #[doc(hidden)]
    fn connection(&self, _: &O) -> Option<crate::observe::connection::Connection> {
        None
    }
}

impl<O: Outcome> Classifier<O> for &Condition {
    fn verdict(&self, outcome: &O) -> Verdict {
        Condition::verdict(self, outcome.classification())
    }
    fn reason<'a>(&self, outcome: &'a O) -> Option<&'a dyn Display> {
        outcome.reason()
    }
    fn discard(&self, outcome: O, policy: &Policy) -> DrainBody {
        outcome.discard(policy)
    }
    #[cfg(feature = "connection-events")]
    fn connection(&self, outcome: &O) -> Option<crate::observe::connection::Connection> {
        outcome.classification().connection()
    }
}

impl<O> Classifier<O> for Verdict {
    fn verdict(&self, _: &O) -> Verdict {
        *self
    }
    fn reason<'a>(&self, _: &'a O) -> Option<&'a dyn Display> {
        None
    }
    fn discard(&self, _: O, _: &Policy) -> DrainBody {
        DrainBody::none()
    }
}

/// The two sides of an outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no outcome that can be tried again",
    label = "neither a `Result`, nor an `Option`, nor a type that implements `Retryable`",
    note = "return a `Result` or an `Option`, or implement `retry_runtime::Retryable` for the type"
)]
pub trait ResultLike {
    /// What it gives when there is no error.
    type Value;
    /// The error.
    type Error;
    /// The answer, if it is one.
    fn value(&self) -> Option<&Self::Value>;
    /// The error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
    /// The answer by value.
    fn into_value(self) -> Option<Self::Value>;
}

#[diagnostic::do_not_recommend]
impl<T, E> ResultLike for Result<T, E> {
    type Value = T;
    type Error = E;
    #[inline(always)]
    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }
    #[inline(always)]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
    fn into_value(self) -> Option<T> {
        self.ok()
    }
}

#[diagnostic::do_not_recommend]
impl<T> ResultLike for Option<T> {
    type Value = T;
    type Error = NoValue;
    #[inline(always)]
    fn value(&self) -> Option<&T> {
        self.as_ref()
    }
    #[inline(always)]
    fn error(&self) -> Option<&NoValue> {
        if self.is_none() { Some(&NoValue) } else { None }
    }
    fn into_value(self) -> Option<T> {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<R: Retryable> ResultLike for R {
    type Value = R;
    type Error = core::convert::Infallible;
    #[inline(always)]
    fn value(&self) -> Option<&R> {
        Some(self)
    }
    #[inline(always)]
    fn error(&self) -> Option<&Self::Error> {
        None
    }
    fn into_value(self) -> Option<R> {
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
