//! Policies from configuration files.

pub(crate) mod registry;
pub(crate) mod written;

pub use self::registry::{NamedPolicy, Policies, PoliciesError, PolicyChange};
