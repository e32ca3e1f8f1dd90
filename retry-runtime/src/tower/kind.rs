//! The kinds of requests: how their responses are classified, which of them may be resent, and how they are cloned.

use core::any::Any;
use core::fmt;

use crate::classify::clients;
use crate::classify::condition::Condition;
use crate::classify::failure::Failure;
use crate::propagation::Propagation;
use crate::util::sealed::Sealed;

/// How the requests and responses of a service are classified. Implemented by [`AnyRequest`] and [`HttpRequests`] only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit a service from `{Req}` to `{Res}`",
    label = "not a retry policy for this service",
    note = "use `TowerPolicy::http` for services from `http::Request` to `http::Response`, and `TowerPolicy::new` for all others, whose responses must not borrow"
)]
pub trait Kind<Req, Res>: Sealed {
    #[doc(hidden)]
    fn condition(&self, condition: Condition, request: &Req) -> Condition;

    /// The failure that a response is, if its type can be classified.
    #[doc(hidden)]
    fn value(&self, value: &Res) -> Option<Failure>;

    /// The request's method, if it has one.
    #[doc(hidden)]
    fn method<'a>(&self, _: &'a Req) -> Option<&'a str> {
        None
    }
}

/// Requests of any type, each of them safe to send twice. See [`TowerPolicy::new`](super::TowerPolicy::new).
#[derive(Clone, Copy, Debug)]
pub struct AnyRequest;

impl Sealed for AnyRequest {}

impl<Req, Res: 'static> Kind<Req, Res> for AnyRequest {
    fn condition(&self, condition: Condition, _: &Req) -> Condition {
        condition
    }
    fn value(&self, value: &Res) -> Option<Failure> {
        clients::failure_of_value(value as &dyn Any)
    }
}

/// HTTP requests, whose method decides whether they are safe to send twice. See [`TowerPolicy::http`](super::TowerPolicy::http).
#[derive(Clone, Copy, Debug)]
pub struct HttpRequests {
    pub(super) are_idempotent: bool,
    pub(super) propagation: Option<Propagation>,
}

impl Sealed for HttpRequests {}

macro_rules! http_requests {
    ($($(#[$attribute:meta])* [$($parameter:ident),*] $request:ty => $response:ty;)*) => {$(
        $(#[$attribute])*
        impl<$($parameter),*> Kind<$request, $response> for HttpRequests {
            fn condition(&self, condition: Condition, request: &$request) -> Condition {
                let is_safe = self.are_idempotent || request.headers().contains_key("idempotency-key");
                if is_safe { condition } else { condition.for_method(request.method().as_str()) }
            }
            fn value(&self, value: &$response) -> Option<Failure> {
                let failure = Failure::of(value);
                Some(match self.propagation {
                    Some(propagation) => propagation.advised(failure, value.status().as_u16(), value.headers()),
                    None => failure,
                })
            }
            fn method<'a>(&self, request: &'a $request) -> Option<&'a str> {
                Some(request.method().as_str())
            }
        }
    )*};
}
http_requests! {
    [B, C] http::Request<B> => http::Response<C>;
    #[cfg(feature = "reqwest")]
    [] reqwest::Request => reqwest::Response;
    #[cfg(feature = "reqwest-012")]
    [] reqwest_012::Request => reqwest_012::Response;
}

/// How a request is cloned. Implemented by [`Cloned`] and [`CloneWith`] only.
#[diagnostic::on_unimplemented(
    message = "a `{Req}` cannot be cloned, so it cannot be resent",
    label = "no way to clone the request",
    note = "write `.cloning(|request| …)` with a closure that returns an `Option` of the clone"
)]
pub trait CloneRequest<Req>: Sealed {
    #[doc(hidden)]
    fn clone_request(&self, request: &Req) -> Option<Req>;
}

/// Clones requests by `Clone`.
#[derive(Clone, Copy, Debug)]
pub struct Cloned;

impl Sealed for Cloned {}

#[diagnostic::do_not_recommend]
impl<Req: Clone> CloneRequest<Req> for Cloned {
    fn clone_request(&self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

/// Clones requests by a function. Made by [`TowerPolicy::cloning`](super::TowerPolicy::cloning).
#[derive(Clone, Copy)]
pub struct CloneWith<F>(pub(super) F);

impl<F> Sealed for CloneWith<F> {}

#[diagnostic::do_not_recommend]
impl<Req, F: Fn(&Req) -> Option<Req>> CloneRequest<Req> for CloneWith<F> {
    fn clone_request(&self, request: &Req) -> Option<Req> {
        self.0(request)
    }
}

impl<F> fmt::Debug for CloneWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloneWith")
    }
}
