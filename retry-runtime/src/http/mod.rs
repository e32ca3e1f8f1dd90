#![doc = include_str!("guide/index.md")]

#[cfg(feature = "reqwest")]
mod body;
#[cfg(feature = "reqwest")]
mod call;
#[cfg(feature = "reqwest")]
mod chosen_policy;
#[cfg(feature = "reqwest")]
mod first_limit;
#[cfg(feature = "reqwest")]
mod first_of;
#[cfg(feature = "reqwest")]
mod how_to_retry;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
#[cfg(feature = "reqwest")]
mod options;
#[cfg(feature = "reqwest")]
mod outgoing;
#[cfg(feature = "reqwest")]
mod per_host;
#[cfg(feature = "reqwest")]
pub(crate) mod redirects;
#[cfg(feature = "reqwest")]
mod request_retry;
#[cfg(feature = "reqwest")]
mod send;
#[cfg(feature = "reqwest")]
mod sent;
#[cfg(all(feature = "reqwest", feature = "testing"))]
mod simulated;
#[cfg(all(feature = "reqwest", not(feature = "testing")))]
#[path = "simulated_off.rs"]
mod simulated;
#[cfg(feature = "reqwest")]
mod source;

#[cfg(feature = "reqwest")]
pub use self::body::IntoBody;
#[cfg(feature = "connection-events")]
pub mod connections;

#[cfg(feature = "reqwest")]
pub use self::chosen_policy::ChosenPolicy;
#[cfg(feature = "reqwest")]
pub use self::first_of::{IntoRequest, SendFirstOf, SendingFirstOf};
#[cfg(feature = "reqwest")]
pub use self::how_to_retry::HowToRetry;
#[cfg(feature = "reqwest")]
pub use self::outgoing::{HookFuture, Outgoing};
#[cfg(feature = "reqwest")]
pub use self::per_host::PerHost;
#[cfg(feature = "reqwest")]
pub use self::redirects::TrackRedirects;
#[cfg(feature = "reqwest")]
pub use self::request_retry::RequestRetry;
#[cfg(feature = "reqwest")]
pub use self::send::SendWithRetry;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub use crate::classify::clients::status_error::{CheckStatus, StatusError};
