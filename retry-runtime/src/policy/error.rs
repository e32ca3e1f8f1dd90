//! The error of a policy whose values are invalid.

use core::error::Error;
use core::fmt::{self, Display, Formatter};

use retry_spec::invalid::Invalid;

/// An invalid value of a policy, or two values that contradict each other. Returned by
/// [`PolicyBuilder::build`](crate::policy::PolicyBuilder::build).
///
/// The text is the message with which the same mistake panics in [`Policy`](crate::Policy). It describes the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PolicyError(Invalid);

impl PolicyError {
    pub(super) const fn new(rule: Invalid) -> Self {
        Self(rule)
    }

    /// The name of the setting that breaks the rule, such as `attempts`: the name of the builder's function, which is also
    /// that of the attribute's argument and of the key in files. Of two values that contradict each other, it is the
    /// one that limits the other: `max_delay` and `deadline`, not `start`.
    #[must_use]
    pub const fn setting(&self) -> &'static str {
        self.0.setting()
    }

    /// The text of the error.
    ///
    /// In a constant, the error can be a compile error:
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Policy;
    /// use retry_runtime::policy::PolicyBuilder;
    ///
    /// const POLICY: Policy = match PolicyBuilder::fixed(Duration::from_secs(1)).attempts(5).build() {
    ///     Ok(policy) => policy,
    ///     Err(error) => panic!("{}", error.message()),
    /// };
    /// ```
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.0.message()
    }
}

impl Display for PolicyError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl Error for PolicyError {}
