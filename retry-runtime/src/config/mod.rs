//! Policies from configuration files.

// `spec` reads the keys of one policy, `registry` has the named policies of a program. The values, the defaults and the rules are those of the
// attribute: both read the package `retry-spec`.

pub(crate) mod registry;
pub(crate) mod spec;

pub use self::registry::{NamedPolicy, Policies, PoliciesError, PolicyChange};
