//! `Caller` as an extractor of axum.

use core::fmt;
use std::error::Error;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::caller::Caller;

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = MissingCallerLayer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingCallerLayer> {
        parts.extensions.get().copied().ok_or(MissingCallerLayer(()))
    }
}

/// `None` without the layer.
impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = core::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().copied())
    }
}

/// The rejection of the extractor [`Caller`] in a service without a [`CallerLayer`](super::CallerLayer): a status 500 that names the
/// missing layer.
#[derive(Debug)]
pub struct MissingCallerLayer(());

impl fmt::Display for MissingCallerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the extractor `Caller` needs the layer `retry_runtime::server::CallerLayer` around this route")
    }
}

impl Error for MissingCallerLayer {}

impl IntoResponse for MissingCallerLayer {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
