//! The context of one request, between the polls of its future and of its body.

use http::{HeaderMap, StatusCode};

use crate::context::captured::Deadline;
use crate::context::nested::NestedScope;
use crate::propagation::Propagation;

/// The context of everything that serves one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestScope {
    pub(super) deadline: Option<Deadline>,
    pub(super) propagation: Propagation,
    /// True if the call that failed last has exhausted its retries.
    pub(super) nested_exhausted: bool,
}

impl RequestScope {
    /// Does a part of the work, so that the calls inside see the request's deadline.
    #[inline]
    pub(super) fn within<O>(&mut self, work: impl FnOnce() -> O) -> O {
        let nested = NestedScope::new(self.nested_exhausted);
        let done = match self.deadline {
            Some(deadline) => deadline.run(work),
            None => work(),
        };
        self.nested_exhausted = nested.leave();
        done
    }

    /// Marks the headers of a response with this status, if it is a failure whose retries are exhausted.
    pub(super) fn mark_response(&self, status: StatusCode, headers: &mut HeaderMap) {
        if self.nested_exhausted && (is_failure(status) || has_grpc_failure(headers)) {
            self.propagation.mark_exhausted(headers);
        }
    }

    pub(super) fn mark_trailers(&self, trailers: &mut HeaderMap) {
        if self.nested_exhausted && has_grpc_failure(trailers) {
            self.propagation.mark_exhausted(trailers);
        }
    }
}

fn is_failure(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// True if there is a gRPC status that is not 0.
fn has_grpc_failure(headers: &HeaderMap) -> bool {
    headers.get("grpc-status").is_some_and(|status| status.as_bytes() != b"0")
}
