//! Classification of the error of tower's timeout.

use tower::timeout::error::Elapsed;

use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// Transient, and a timeout: the time limit of tower's `TimeoutLayer` was exceeded.
impl Retryable for Elapsed {
    fn class(&self) -> Class {
        Class::Transient
    }

    fn is_timeout(&self) -> bool {
        true
    }
}
