//! Classification of `h2::Error`, the error of HTTP/2 itself, which is at the end of the `source()` chains of clients'
//! errors.

use h2::{Error, Reason};

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;

/// Transient if the server has refused the stream or shuts down gracefully. In both cases it has not processed the
/// request (RFC 9113 §8.7). An I/O error inside keeps its own class. All other errors are unknown.
impl Retryable for Error {
    fn class(&self) -> Class {
        if is_refused(self) {
            return Class::Transient;
        }
        self.get_io().map_or(Class::Unknown, |io| Failure::of(io).class())
    }

    fn is_unprocessed(&self) -> bool {
        is_refused(self)
    }
}

fn is_refused(error: &Error) -> bool {
    match error.reason() {
        Some(Reason::REFUSED_STREAM) => error.is_reset() && error.is_remote(),
        Some(Reason::NO_ERROR) => error.is_go_away() && error.is_remote(),
        _ => false,
    }
}
