//! Named policies that a file changes while the program runs.

mod change;
mod error;
mod files;
mod named;
mod policies;

pub use change::PolicyChange;
pub use error::PoliciesError;
pub use named::NamedPolicy;
pub use policies::Policies;
