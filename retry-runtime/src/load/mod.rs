//! Protection of the service that is called: circuit breakers and hedged attempts.
//!
//! May import `util`, `context`, `classify`, `policy`, `observe` and `engine`.

pub(crate) mod breaker;
pub(crate) mod hedge;
