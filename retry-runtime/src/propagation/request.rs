//! The requests and header maps that carry a call's time and attempt to the next service.

use core::time::Duration;

use http::HeaderMap;

use crate::util::sealed::Sealed;

/// A request, or the headers of one, that [`Propagation::decorate`](super::Propagation::decorate) can add its headers to:
/// [`http::HeaderMap`] and [`http::Request`], and with their features the requests of reqwest and reqwest 0.12,
/// `tonic::metadata::MetadataMap` and `tonic::Request`.
#[diagnostic::on_unimplemented(
    message = "expected the headers of a request, or a request: `{Self}` is neither",
    label = "has no headers that are known",
    note = "pass `headers_mut()` of an HTTP request or `metadata_mut()` of a gRPC request; a request builder has to be built first",
    note = "for the types of reqwest and tonic, enable the feature of `retry-runtime` with that name"
)]
pub trait RequestHeaders: Sealed {
    /// True for the headers of a gRPC request, whatever their content type.
    #[doc(hidden)]
    const IS_GRPC: bool = false;

    #[doc(hidden)]
    fn map(&mut self) -> &mut HeaderMap;

    /// The time limit of the request itself.
    #[doc(hidden)]
    fn time_limit(&self) -> Option<Duration> {
        None
    }
}

impl Sealed for HeaderMap {}

impl RequestHeaders for HeaderMap {
    fn map(&mut self) -> &mut HeaderMap {
        self
    }
}

impl<B> Sealed for http::Request<B> {}

#[diagnostic::do_not_recommend]
impl<B> RequestHeaders for http::Request<B> {
    fn map(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
macro_rules! client {
    ($request:ty) => {
        #[diagnostic::do_not_recommend]
        impl RequestHeaders for $request {
            fn map(&mut self) -> &mut HeaderMap {
                self.headers_mut()
            }

            // `fetch` has no time limits, so neither have requests on wasm.
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            fn time_limit(&self) -> Option<Duration> {
                self.timeout().copied()
            }
        }
    };
}
#[cfg(feature = "reqwest")]
client!(reqwest::Request);
#[cfg(feature = "reqwest-012")]
client!(reqwest_012::Request);

// With the module `http`, requests are sealed there already.
#[cfg(all(feature = "reqwest", target_arch = "wasm32", target_os = "unknown"))]
impl Sealed for reqwest::Request {}
#[cfg(feature = "reqwest-012")]
impl Sealed for reqwest_012::Request {}

#[cfg(feature = "tonic")]
impl Sealed for tonic::metadata::MetadataMap {}

#[cfg(feature = "tonic")]
#[diagnostic::do_not_recommend]
impl RequestHeaders for tonic::metadata::MetadataMap {
    const IS_GRPC: bool = true;

    fn map(&mut self) -> &mut HeaderMap {
        self.as_mut()
    }
}

#[cfg(feature = "tonic")]
impl<T> Sealed for tonic::Request<T> {}

#[cfg(feature = "tonic")]
#[diagnostic::do_not_recommend]
impl<T> RequestHeaders for tonic::Request<T> {
    const IS_GRPC: bool = true;

    fn map(&mut self) -> &mut HeaderMap {
        self.metadata_mut().as_mut()
    }
}
