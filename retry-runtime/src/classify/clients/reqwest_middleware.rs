//! Classification of reqwest-middleware's errors.

use reqwest_middleware::Error;

use crate::classify::failure::Failure;
use crate::classify::retryable::by_failure;
use crate::classify::search::search;

by_failure! {
    /// Classified as reqwest's error, or by a search along the chain of another middleware's error. The error of another
    /// middleware never proves that the server cannot have processed the request.
    Error, |error| match error {
        Self::Reqwest(error) => Failure::of(error),
        // The error may come from something that the middleware does after the request.
        Self::Middleware(error) => search(&**error).perhaps_processed(),
    }
}
