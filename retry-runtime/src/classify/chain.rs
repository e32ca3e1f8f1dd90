//! The `source()` chain of an error: iteration over its links, and downcasts of a link to a known type.

use std::error::Error;
use std::io;
use std::iter::successors;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;

/// The limit on the links of a chain. A chain is endless if an error is its own source; no real chain is this deep.
const DEPTH: usize = 64;

/// The errors of a chain, beginning with its head.
pub(crate) fn links<'a>(head: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(head), |&error| next(error)).take(DEPTH)
}

/// The next error of a chain. `io::Error::source` skips the error inside the `io::Error` and returns the source of that
/// one, so the inner error is taken first.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source())
}

/// The failure that an error describes, if its type is `E`.
pub(crate) fn failure_of<E: Error + Retryable + 'static>(error: &(dyn Error + 'static)) -> Option<Failure> {
    error.downcast_ref::<E>().map(Failure::of)
}

/// Classifies an error by its sources alone, for an error whose own type cannot be downcast, because it may borrow, or
/// has been examined already. Unknown if it has no source. The search itself is in `search.rs`: it implements `Retryable` for `dyn Error`.
#[cold]
pub(crate) fn search_sources(error: &dyn Error) -> Failure {
    error.source().map_or(Failure::new(Class::Unknown), Retryable::failure)
}
