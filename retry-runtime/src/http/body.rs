//! Request bodies that are made anew for each attempt.

use std::error::Error;

use reqwest::Body;

type Boxed = Box<dyn Error + Send + Sync>;

/// A request body: a [`Body`], or a `Result` of one, whose error is then the error of the attempt.
#[diagnostic::on_unimplemented(
    message = "expected a request body",
    label = "`{Self}` is neither a `reqwest::Body` nor a `Result` of one",
    note = "make a body from text or bytes with `Body::from`, or from a stream with `Body::wrap_stream`"
)]
pub trait IntoBody {
    #[doc(hidden)]
    fn into_body(self) -> Result<Body, Box<dyn Error + Send + Sync>>;
}

// `do_not_recommend`: otherwise rustc lists these implementations and their bounds instead of the message above.
#[diagnostic::do_not_recommend]
impl IntoBody for Body {
    fn into_body(self) -> Result<Body, Boxed> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Boxed>> IntoBody for Result<Body, E> {
    fn into_body(self) -> Result<Body, Boxed> {
        self.map_err(Into::into)
    }
}
