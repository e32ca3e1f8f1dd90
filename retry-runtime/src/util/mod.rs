//! Utilities that do not depend on retrying: the clock, the timer and the random source of the host, atomics, masking of secrets, the
//! process-wide switch.

pub(crate) mod clock;
pub(crate) mod durations;
#[cfg(all(feature = "tokio", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub(crate) mod host;
#[cfg(not(feature = "tokio"))]
#[path = "host_off.rs"]
pub(crate) mod host;
#[cfg(all(feature = "tokio", all(target_arch = "wasm32", target_os = "unknown")))]
#[path = "host_wasm.rs"]
pub(crate) mod host;
pub(crate) mod mask;
pub(crate) mod sealed;
pub(crate) mod shards;
pub(crate) mod shared;
pub(crate) mod sleep;
pub(crate) mod switch;
pub(crate) mod sync;
#[cfg(feature = "report")]
pub(crate) mod utc;
