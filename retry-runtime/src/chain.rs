//! The search along `source()` for errors whose class is known by their type.

use std::error::Error;
use std::io;
use std::iter::successors;

use crate::wrap::Marked;
use crate::{Class, Failure, Retryable, TimedOut};

/// A chain of sources has no end where an error is its own source; nobody nests this deep on purpose.
const DEPTH: usize = 64;

/// The first error of the chain, from its head on, that knows something of itself.
#[cold]
pub(crate) fn search(head: &(dyn Error + 'static)) -> Failure {
    links(head).find_map(known).unwrap_or(Failure::new(Class::Unknown))
}

/// The same for an error that may borrow, and so cannot be asked for its own type, only for its sources'.
#[cold]
pub(crate) fn search_sources(error: &dyn Error) -> Failure {
    error.source().map_or(Failure::new(Class::Unknown), search)
}

pub(crate) fn links<'a>(head: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(head), |&error| error.source()).take(DEPTH)
}

/// What is known of one link by its type.
fn known(error: &(dyn Error + 'static)) -> Option<Failure> {
    let failure = None
        .or_else(|| failure_of::<io::Error>(error))
        .or_else(|| failure_of::<TimedOut>(error))
        .or_else(|| failure_of::<Marked>(error))
        .or_else(|| crate::http::known(error))?;
    (failure.class() != Class::Unknown || failure.status().is_some()).then_some(failure)
}

pub(crate) fn failure_of<E: Error + Retryable + 'static>(error: &(dyn Error + 'static)) -> Option<Failure> {
    error.downcast_ref::<E>().map(Failure::of)
}
