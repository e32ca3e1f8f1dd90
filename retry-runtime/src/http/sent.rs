//! The requests that a call has sent so far.

use reqwest::Method;

use super::redirects::Seen;
use crate::classify::verdict::{NotSafe, Verdict};

/// The facts about a call's earlier requests that decide whether the next one may be sent.
#[derive(Default)]
pub(super) struct Sent {
    /// The method of the last request, if it must not be resent unless the server cannot have processed it.
    pub(super) guarded: Option<Method>,
    /// The requests that the client sent for it, including redirected ones.
    pub(super) seen: Seen,
    /// True if the breaker of its host has rejected the last request.
    pub(super) rejected_by_host: bool,
    /// True if the next request after such a rejection goes to another host.
    pub(super) goes_elsewhere: bool,
    /// True once a request that must not be resent may have been processed.
    has_effects: bool,
}

impl Sent {
    pub(super) fn is_guarded(&self) -> bool {
        self.guarded.is_some()
    }

    /// Returns whether the breaker that has rejected the last request has no say about the next one.
    pub(super) fn leaves_breaker(&self) -> bool {
        self.rejected_by_host && self.goes_elsewhere
    }

    /// Returns whether the last request, which had this status, is known not to have been redirected.
    pub(super) fn is_direct(&self, status: Option<u16>) -> bool {
        self.guarded.as_ref().is_some_and(|method| self.seen.is_only(method.as_str(), status))
    }

    /// Turns the verdict on the last request into a verdict on the next request, which may be a different one.
    pub(super) fn followed(&mut self, verdict: Verdict, may_follow_all: impl FnOnce() -> bool) -> Verdict {
        let is_not_safe = matches!(verdict, Verdict::NotSafe(_, NotSafe::NotIdempotent));
        self.has_effects |= is_not_safe;
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
