//! The requests of a call that have been sent so far.

use reqwest::Method;

use super::redirects::Seen;
use crate::classify::verdict::{NotSafe, Verdict};

/// The requests of a call so far, as far as they decide about the next one.
#[derive(Default)]
pub(super) struct Sent {
    /// The method of the last request, if it must not be resent unless the server cannot have processed it.
    pub(super) guarded: Option<Method>,
    /// The requests that the client put on the wire for it.
    pub(super) seen: Seen,
    /// A request that must not be resent may have been processed.
    has_effects: bool,
}

impl Sent {
    pub(super) fn is_guarded(&self) -> bool {
        self.guarded.is_some()
    }

    /// Returns whether the last request, which had this status, is known not to have been redirected.
    pub(super) fn is_direct(&self, status: Option<u16>) -> bool {
        self.guarded.as_ref().is_some_and(|method| self.seen.is_only(method.as_str(), status))
    }

    /// Turns a verdict about the last request into one about the next request, which may be another.
    pub(super) fn followed(&mut self, verdict: Verdict, may_follow_all: impl FnOnce() -> bool) -> Verdict {
        let is_barred = matches!(verdict, Verdict::NotSafe(_, NotSafe::NotIdempotent));
        self.has_effects |= is_barred;
        match verdict {
            Verdict::Retry(failure) | Verdict::NotSafe(failure, NotSafe::NotIdempotent) if self.has_effects => {
                if may_follow_all() {
                    Verdict::Retry(failure)
                } else {
                    Verdict::NotSafe(failure, NotSafe::NotIdempotent)
                }
            }
            _ => verdict,
        }
    }
}
