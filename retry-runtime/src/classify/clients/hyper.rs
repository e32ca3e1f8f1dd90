//! Classification of hyper's errors, and of those of the client in hyper-util.
//!
//! These errors also occur in the `source()` chains of other clients' errors. So they are never permanent by themselves,
//! and the class of an error below them takes precedence: this feature must not change the class of an error that is
//! classified without it.

use std::error::Error;

use hyper_util::client::legacy;

use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::by_failure;

by_failure! {
    /// The class is that of its sources. If they cannot be classified, it is transient if the connection ended before the
    /// response was complete or the response did not come in time. With the `h2` feature, a request whose stream the
    /// server refused counts as unprocessed.
    hyper::Error, |error: &Self| {
        let has_ended = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        let failure = or_transient(below(error), has_ended || error.is_timeout());
        // A user error comes from a request's body, so a refused connection in its sources may be a connection that the
        // body itself made.
        let failure = if error.is_user() { failure.perhaps_processed() } else { failure };
        if error.is_timeout() { failure.after_timeout() } else { failure }
    }
}

by_failure! {
    /// The class is that of its sources. If they cannot be classified, it is transient if there was no connection.
    /// Without a connection, the server cannot have processed the request.
    ///
    /// This error cannot be created from [`TimedOut`](crate::TimedOut). A function with a deadline or an attempt timeout
    /// needs its own error type, or a boxed error.
    legacy::Error, |error: &Self| {
        let failure = or_transient(below(error), error.is_connect());
        if error.is_connect() { failure.before_processing() } else { failure }
    }
}

/// The failure of the error's sources.
fn below(error: &dyn Error) -> Failure {
    chain::search_sources(error)
}

fn or_transient(below: Failure, is_transient: bool) -> Failure {
    if below.class() == Class::Unknown && is_transient { Failure::new(Class::Transient) } else { below }
}
