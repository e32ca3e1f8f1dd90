//! HTTP on wasm32-unknown-unknown: the errors and responses of reqwest are classified, and there is [`CheckStatus`].
//!
//! reqwest lacks much there, because `fetch` sends its requests. So requests with retry, the middleware, redirect tracking and connection
//! events do not exist. Retry a function that sends the request instead.

#[cfg(feature = "reqwest")]
#[path = "redirects_wasm.rs"]
pub(crate) mod redirects;

#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub use crate::classify::clients::status_error::{CheckStatus, StatusError};
