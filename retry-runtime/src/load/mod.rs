//! Protection of the service that is called: circuit breakers and hedged attempts.

pub(crate) mod breaker;
pub(crate) mod hedge;
