//! The search that classifies boxed errors, I/O errors, and the sources of other errors: along the `source()` chain, for marks
//! and for the types that this crate recognizes. It does not find a user's own types, because a `dyn Error` can only be downcast
//! to a type that is named here.

use std::error::Error;
use std::io;

use crate::classify::breaker_open::BreakerOpen;
use crate::classify::chain::{failure_of, links};
use crate::classify::class::Class;
use crate::classify::clients;
use crate::classify::failure::Failure;
use crate::classify::mark::Marked;
use crate::classify::retryable::{Retryable, by_failure};
use crate::classify::timed_out::TimedOut;

/// The failure of the first error in the chain that the user has marked or, without a mark, of the first error of a
/// recognized type. Unknown if there is neither.
#[cold]
pub(crate) fn search(head: &(dyn Error + 'static)) -> Failure {
    let marked = || links(head).find_map(failure_of::<Marked>);
    marked().or_else(|| links(head).find_map(recognized)).unwrap_or(Failure::new(Class::Unknown))
}

/// The failure of one link, if its type is recognized. A failure of unknown class is passed over, so that a link below it can
/// decide, unless it has something else to decide by: a status, a server that wants no retry, or a cancellation.
fn recognized(error: &(dyn Error + 'static)) -> Option<Failure> {
    let io = error.downcast_ref::<io::Error>().map(of_io);
    let failure = io
        .or_else(|| failure_of::<TimedOut>(error))
        .or_else(|| failure_of::<BreakerOpen>(error))
        .or_else(|| clients::recognize(error))?;
    (!failure.is_blank()).then_some(failure)
}

/// Only `ConnectionRefused` proves that the server has processed nothing. Errors such as `HostUnreachable` also occur on
/// an established connection, when its route disappears.
fn of_io(error: &io::Error) -> Failure {
    let failure = Failure::new(Class::of_io(error.kind()));
    match error.kind() {
        io::ErrorKind::ConnectionRefused => failure.before_processing(),
        io::ErrorKind::TimedOut => failure.after_timeout(),
        _ => failure,
    }
}

macro_rules! retryable_by_search {
    ($($object:ty),*) => {$(
        by_failure! {
            /// Searches the error and its `source()` chain for marks and for recognized types.
            $object, |error| search(error)
        }
    )*};
}
retryable_by_search!(io::Error, dyn Error, dyn Error + Send, dyn Error + Sync, dyn Error + Send + Sync);

/// Returns `true` if `error` or an error in its `source()` chain has the type `E` and is transient.
///
/// Use it in `on_error` if your error type is hidden in a boxed error or in an `anyhow::Error`, where the library does not look
/// for your own types: `on_error = |error| transient_in_chain::<Busy>(error.as_ref())`.
///
/// ```
/// # use std::{error::Error, fmt};
/// # use retry_runtime::{Class, Retryable};
/// # use retry_runtime::outcome::transient_in_chain;
/// # #[derive(Debug)] struct Busy;
/// # impl fmt::Display for Busy { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("busy") } }
/// # impl Error for Busy {}
/// # impl Retryable for Busy { fn class(&self) -> Class { Class::Transient } }
/// let error: Box<dyn Error + Send + Sync> = Box::new(Busy);
/// assert!(transient_in_chain::<Busy>(&*error));
/// ```
pub fn transient_in_chain<E: Error + Retryable + 'static>(error: &(dyn Error + 'static)) -> bool {
    links(error).filter_map(failure_of::<E>).any(|failure| is_transient(&failure))
}

fn is_transient(failure: &Failure) -> bool {
    failure.status().map_or(failure.class(), Class::of_status) == Class::Transient
}
