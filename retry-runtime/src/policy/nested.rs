//! Nested retries: calls that retry inside the attempt of another call that retries.

/// The treatment of a failure that a call inside the attempt has already retried. Set with
/// [`Policy::nested`](crate::Policy::nested).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nested {
    /// Retries it like any other failure, so the numbers of attempts of all layers multiply. This is the default, and has
    /// no keyword in the attribute.
    #[default]
    Always,
    /// Does not retry it: three layers of three attempts make three calls, not 27.
    Once,
}
