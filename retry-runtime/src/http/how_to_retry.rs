//! `HowToRetry`: what requests take as their settings.

use std::sync::{Arc, LazyLock};

use super::options::Options;
use super::request_retry::RequestRetry;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

/// A [`Policy`] or a [`RequestRetry`], also in an [`Arc`] or in a [`LazyLock`].
#[diagnostic::on_unimplemented(
    message = "expected the settings of requests with retry: a `Policy` or a `RequestRetry`",
    label = "`{Self}` is neither a `Policy` nor a `RequestRetry`",
    note = "write `&POLICY`, or `&RequestRetry::new(POLICY).condition(…)`"
)]
pub trait HowToRetry: Sealed + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    #[doc(hidden)]
    fn options(&self) -> &Options;
}

#[diagnostic::do_not_recommend]
impl HowToRetry for Policy {
    fn policy(&self) -> &Policy {
        self
    }
    // A constant, so that the optimizer sees the values of the standard options and drops the code for all others.
    #[inline(always)]
    fn options(&self) -> &Options {
        const { &Options::new() }
    }
}

impl Sealed for RequestRetry {}

#[diagnostic::do_not_recommend]
impl HowToRetry for RequestRetry {
    fn policy(&self) -> &Policy {
        &self.policy
    }
    fn options(&self) -> &Options {
        &self.options
    }
}

macro_rules! shared {
    ($($pointer:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl HowToRetry for $pointer {
            #[inline]
            fn policy(&self) -> &Policy {
                (**self).policy()
            }
            #[inline]
            fn options(&self) -> &Options {
                (**self).options()
            }
        }
    )*};
}
shared!(Arc<Policy>, Arc<RequestRetry>, LazyLock<Policy>, LazyLock<RequestRetry>);

impl Sealed for Arc<RequestRetry> {}
impl Sealed for LazyLock<Policy> {}
impl Sealed for LazyLock<RequestRetry> {}
