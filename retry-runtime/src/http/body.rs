//! Bodies that are made anew for each attempt.

use std::error::Error;

use reqwest::Body;

type Boxed = Box<dyn Error + Send + Sync>;

/// What makes a body: a [`Body`], or a `Result` of one, whose error is then what the attempt gives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no body of a request",
    label = "neither a `reqwest::Body` nor a `Result` of one",
    note = "`Body::from` makes one of text and bytes, `Body::wrap_stream` of a stream"
)]
pub trait IntoBody {
    #[doc(hidden)]
    fn into_body(self) -> Result<Body, Box<dyn Error + Send + Sync>>;
}

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
