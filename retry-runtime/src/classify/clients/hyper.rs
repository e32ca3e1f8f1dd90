//! What is known of hyper's errors, and of those of the client in hyper-util.
//!
//! They lie in the chains of other clients' errors too. So they never say permanent, and what is known of an error below
//! comes first: nothing that is known without this feature is known otherwise with it.

use std::error::Error;

use hyper_util::client::legacy;

use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::by_failure;

by_failure! {
    /// What is known of its sources; otherwise transient where the connection ended before the answer was complete, or did
    /// not answer in time. With the `h2` feature, a stream that the server refused is one that it has not processed.
    hyper::Error, |error: &Self| {
        let has_ended = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        let failure = or_transient(below(error), has_ended || error.is_timeout());
        // The user's errors are those of bodies, which may be about connections of their own.
        let failure = if error.is_user() { failure.perhaps_processed() } else { failure };
        if error.is_timeout() { failure.after_timeout() } else { failure }
    }
}

by_failure! {
    /// What is known of its sources; otherwise transient where there was no connection: then the server cannot have
    /// processed the request.
    ///
    /// It cannot be made from [`TimedOut`](crate::TimedOut): a function with a deadline or an attempt timeout returns an error
    /// of its own, or a boxed one.
    legacy::Error, |error: &Self| {
        let failure = or_transient(below(error), error.is_connect());
        if error.is_connect() { failure.before_processing() } else { failure }
    }
}

fn below(error: &dyn Error) -> Failure {
    chain::search_sources(error)
}

fn or_transient(below: Failure, is_transient: bool) -> Failure {
    if below.class() == Class::Unknown && is_transient { Failure::new(Class::Transient) } else { below }
}
