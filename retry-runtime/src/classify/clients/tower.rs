//! The time limit of tower.

use tower::timeout::error::Elapsed;

use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// The time limit of tower's `TimeoutLayer` was exceeded.
impl Retryable for Elapsed {
    fn class(&self) -> Class {
        Class::Transient
    }

    fn is_timeout(&self) -> bool {
        true
    }
}
