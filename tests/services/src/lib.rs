//! One service of a chain, on axum and reqwest or on tonic.
//!
//! The binary `service` is one process of the chain. The tests start several, each with the URL of the next one, and call
//! the first. `Settings` describes the command line, and `events` the lines that a service writes to its standard output.

mod call;
pub mod events;
mod grpc;
mod http;
mod service;
mod settings;
mod work;

pub use self::call::{Caller, Replies};
pub use self::service::{Service, serve};
pub use self::settings::{Protocol, Settings};
pub use self::work::{BoxError, LIMIT};
