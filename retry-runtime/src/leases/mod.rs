//! Leases: a budget for many processes, which share a pool of tokens in a store.

pub(crate) mod leasing;
pub(crate) mod settings;
pub(crate) mod store;
