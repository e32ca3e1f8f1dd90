//! Reqwest on wasm, where JavaScript's `fetch` sends the requests.
//!
//! `TimedOut` and `BreakerOpen` are not converted, because reqwest has no way to make an error there.

use super::body::Undrained;
use crate::classify::drain::{DrainBody, DrainLimits};

/// `fetch` does not report why a request failed, so a refused connection is like any other failed request: transient, and
/// perhaps processed.
pub(super) trait IsConnect {
    fn is_connect(&self) -> bool {
        false
    }
}

macro_rules! client {
    ($reqwest:ident) => {
        impl IsConnect for $reqwest::Error {}

        /// Drains nothing: the host owns the connection, and aborts a response that is dropped.
        impl Undrained for $reqwest::Response {
            fn drain(self, _: DrainLimits) -> DrainBody {
                DrainBody::none()
            }
        }
    };
}
#[cfg(feature = "reqwest")]
client!(reqwest);
#[cfg(feature = "reqwest-012")]
client!(reqwest_012);
