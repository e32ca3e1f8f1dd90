//! Items that generated code uses. Nothing in this module is stable.

mod borrowed;
mod classify;
mod error_object;
mod hooks;
mod known;
mod limit;
mod not_an_outcome;
mod predicates;
mod required;
mod shared;
mod values;

pub use self::borrowed::{Lifetimes, MayBorrow};
pub use self::classify::*;
pub use self::error_object::ErrorObject;
pub use self::hooks::MacroHooks;
pub use self::known::{Known, MustBeKnown, TypesOf};
pub use self::limit::*;
pub use self::predicates::WithPredicates;
pub use self::required::*;
pub use self::shared::*;
pub use self::values::*;
pub use crate::__counters as counters;
pub use crate::__warned as warned;
pub use crate::classify::breaker_open::rejected;
pub use crate::classify::no_retry::NoRetry;
pub use crate::classify::result_like::ResultLike;
pub use crate::classify::verdict::Classification;
pub use crate::engine::macro_call::{CallSpec, MacroCall};
pub use crate::engine::time_limit::{Limited, ScopedOnly, Unlimited, limited};
pub use crate::load::breaker::pass::{BreakerForCopies, Pass};
pub use crate::load::breaker::{MaybeProbe, maybe_probe, maybe_probe_blocking};
pub use crate::load::hedge::attempt::Hedged;
pub use crate::load::hedge::copies::HedgeOutcome;
pub use crate::observe::stats::named::Counters;
pub use crate::util::sleep::AsyncSleep;
/// The macros whose names are advice, for the block of `retrying!`, which uses the variables around it. rustc prints the name by which a
/// macro is called.
#[cfg(feature = "macros")]
pub use crate::{
    each_attempt_borrows_arguments_and_owns_those_in_retry_clone as each_attempt_borrows_variables_and_owns_those_in_clone,
    hedged_copies_share_all_arguments_except_those_in_clone as hedged_copies_share_all_variables_except_those_in_clone,
};
