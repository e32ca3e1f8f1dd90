//! `ChosenPolicy`: the policy of one request.

use std::sync::Arc;

use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

/// The policy of one request, as the function of [`RequestRetry::policy_for`](super::RequestRetry::policy_for) returns it: a
/// `Policy`, a `&'static Policy`, an `Arc<Policy>`, or an `Option` of one, in which `None` is the policy of the `RequestRetry`
/// itself.
#[diagnostic::on_unimplemented(
    message = "`policy_for` takes a function that returns a policy",
    label = "`{Self}` is neither a `Policy`, nor an `Arc<Policy>`, nor an `Option` of one",
    note = "of a policy that `policies!` declares, return `POLICIES.name.get()`, or `POLICIES.get(name)` for a name that is known at run time"
)]
pub trait ChosenPolicy: Sealed {
    #[doc(hidden)]
    fn chosen(self) -> Option<Policy>;
}

#[diagnostic::do_not_recommend]
impl ChosenPolicy for Policy {
    fn chosen(self) -> Option<Policy> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl ChosenPolicy for &Policy {
    fn chosen(self) -> Option<Policy> {
        Some(*self)
    }
}

#[diagnostic::do_not_recommend]
impl ChosenPolicy for Arc<Policy> {
    fn chosen(self) -> Option<Policy> {
        Some(*self)
    }
}

impl<P: ChosenPolicy> Sealed for Option<P> {}

#[diagnostic::do_not_recommend]
impl<P: ChosenPolicy> ChosenPolicy for Option<P> {
    fn chosen(self) -> Option<Policy> {
        self?.chosen()
    }
}
