//! The error that a hand-written loop reports.

use core::fmt::{self, Debug, Display};

/// An error that a hand-written loop reports to its executor: any type with a `Display`, or a [`ByDebug`] around a type that
/// has only a `Debug`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shown in events, because it has no `Display`",
    label = "has no `Display`",
    note = "if it has a `Debug`, write `ByDebug(error)`, with `retry_runtime::executor::ByDebug`"
)]
pub trait LoopError {
    /// The error that is returned to the loop.
    type Error;

    /// The text for events.
    #[doc(hidden)]
    fn text(&self) -> impl Display;

    /// The error without the wrapper.
    #[doc(hidden)]
    fn error(&self) -> &Self::Error;

    #[doc(hidden)]
    fn into_error(self) -> Self::Error;
}

#[diagnostic::do_not_recommend]
impl<E: Display> LoopError for E {
    type Error = E;

    fn text(&self) -> impl Display {
        self
    }
    fn error(&self) -> &E {
        self
    }
    fn into_error(self) -> E {
        self
    }
}

/// An error that events show by its `Debug`: `retry.pause(ByDebug(error))?`. The executor returns it without this wrapper.
///
/// ```
/// use retry_runtime::{Executor, Policy};
/// use retry_runtime::executor::ByDebug;
///
/// #[derive(Debug)]
/// enum Error { Busy }
///
/// # async fn send() -> Result<(), Error> { Ok(()) }
/// # async fn f() -> Result<(), Error> {
/// let mut retry = Executor::new(Policy::new());
/// loop {
///     match retry.attempt_to_end(send()).await {
///         Ok(()) => break Ok(retry.succeed(())),
///         Err(error) => retry.pause(ByDebug(error))?.await,
///     }
/// }
/// # }
/// ```
pub struct ByDebug<E>(pub E);

impl<E: Debug> Debug for ByDebug<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: Debug> LoopError for ByDebug<E> {
    type Error = E;

    fn text(&self) -> impl Display {
        Shown(&self.0)
    }
    fn error(&self) -> &E {
        &self.0
    }
    fn into_error(self) -> E {
        self.0
    }
}

struct Shown<'e, E>(&'e E);

impl<E: Debug> Display for Shown<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // On one line, whatever the flags of the formatter.
        write!(f, "{:?}", self.0)
    }
}
