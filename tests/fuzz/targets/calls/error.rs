//! The error of a scripted attempt.

use std::fmt;
use std::time::Duration;

use retry_runtime::outcome::NoRetry;
use retry_runtime::{Class, Retryable, TimedOut};

use crate::script::Scripted;

#[derive(Clone, Copy, Debug)]
pub enum Failed {
    /// The number of the attempt, and its script.
    Scripted(u32, Scripted),
    TimedOut,
}

impl From<TimedOut> for Failed {
    fn from(_: TimedOut) -> Self {
        Self::TimedOut
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Failed {
    fn scripted(&self) -> Option<&Scripted> {
        if let Self::Scripted(_, scripted) = self { Some(scripted) } else { None }
    }
}

impl Retryable for Failed {
    fn class(&self) -> Class {
        self.scripted().map_or(Class::Transient, |scripted| scripted.class)
    }

    fn server_delay(&self) -> Option<Duration> {
        self.scripted()?.server_delay
    }

    fn is_timeout(&self) -> bool {
        self.scripted().is_none_or(|scripted| scripted.is_timeout)
    }

    fn no_retry(&self) -> Option<NoRetry> {
        self.scripted()?.no_retry
    }
}
