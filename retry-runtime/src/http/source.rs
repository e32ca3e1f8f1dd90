//! Where the request of each attempt comes from.

use core::time::Duration;
use std::vec;

use http::{HeaderMap, Method, Version};
use reqwest::{Body, Request, Url};
use smallvec::SmallVec;

use super::body::IntoBody;
use super::client::error_of;
use super::request_retry::Options;

/// Gives a request for each attempt.
pub(super) trait Source: Send {
    /// The request of the next attempt. Asked for only while [`has_more`](Self::has_more).
    fn request(&mut self) -> impl Future<Output = reqwest::Result<Request>> + Send;

    /// Whether there is a request for another attempt.
    fn has_more(&self) -> bool;

    /// Where the request went that was sent without having been asked for, if it must not be sent again unless the server
    /// cannot have processed it.
    fn guard(&self, _: &Options) -> Option<Url> {
        None
    }
}

/// The same request each time.
pub(super) enum Repeated {
    Copied(Copied),
    /// Gone once it was sent, if its body is a stream.
    Kept(Option<Box<Request>>),
}

impl Repeated {
    /// For every attempt.
    pub(super) fn all_of(request: Request) -> Self {
        Self::Kept(Some(request.into()))
    }

    /// For every attempt after the first one, which sends `request` itself.
    #[inline]
    pub(super) fn more_of(request: &Request) -> Self {
        match request.body() {
            None => Self::Copied(Copied::of(request)),
            Some(_) => Self::Kept(request.try_clone().map(Box::new)),
        }
    }
}

impl Source for Repeated {
    async fn request(&mut self) -> reqwest::Result<Request> {
        let request = match self {
            Self::Copied(copied) => copied.request(),
            Self::Kept(kept) => match kept.as_ref().and_then(|request| request.try_clone()) {
                None => kept.take().map(|request| *request),
                again => again,
            },
        };
        // Nobody asks for what is not there, so this is a URL whose text is none.
        request.ok_or_else(|| error_of("the request cannot be made again".into()))
    }

    fn has_more(&self) -> bool {
        !matches!(self, Self::Kept(None))
    }

    fn guard(&self, options: &Options) -> Option<Url> {
        match self {
            Self::Copied(copied) => options.guards(&copied.method, copied.headers.as_deref()).then(|| copied.url())?,
            Self::Kept(kept) => options.guard(kept.as_ref()?),
        }
    }
}

/// What is needed to make a request without a body again. [`Request::try_clone`] would allocate for the URL, for an
/// attempt that hardly ever comes; this does not, for a URL of common length.
pub(super) struct Copied {
    method: Method,
    version: Version,
    timeout: Option<Duration>,
    headers: Option<Box<HeaderMap>>,
    // A longer buffer would be moved with the future.
    url: SmallVec<[u8; 64]>,
}

impl Copied {
    #[inline]
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            method: request.method().clone(),
            version: request.version(),
            timeout: request.timeout().copied(),
            headers: (!headers.is_empty()).then(|| headers.clone().into()),
            url: SmallVec::from_slice(request.url().as_str().as_bytes()),
        }
    }

    /// The text of a URL gives that URL again.
    fn url(&self) -> Option<Url> {
        Url::parse(core::str::from_utf8(&self.url).ok()?).ok()
    }

    fn request(&self) -> Option<Request> {
        let mut request = Request::new(self.method.clone(), self.url()?);
        *request.version_mut() = self.version;
        *request.timeout_mut() = self.timeout;
        if let Some(headers) = &self.headers {
            *request.headers_mut() = HeaderMap::clone(headers);
        }
        Some(request)
    }
}

/// Another request for each attempt; the last one repeats.
pub(super) struct Listed {
    requests: vec::IntoIter<Request>,
    last: Repeated,
}

impl Listed {
    /// Nothing if there are no requests.
    pub(super) fn new(mut requests: Vec<Request>) -> Option<Self> {
        let last = Repeated::all_of(requests.pop()?);
        Some(Self { requests: requests.into_iter(), last })
    }
}

impl Source for Listed {
    async fn request(&mut self) -> reqwest::Result<Request> {
        match self.requests.next() {
            Some(request) => Ok(request),
            None => self.last.request().await,
        }
    }

    fn has_more(&self) -> bool {
        self.requests.len() > 0 || self.last.has_more()
    }
}

/// The same request each time, with a body that is made anew.
pub(super) struct Streamed<F> {
    request: Repeated,
    factory: F,
}

impl<F> Streamed<F> {
    pub(super) fn new(mut request: Request, factory: F) -> Self {
        *request.body_mut() = None;
        Self { request: Repeated::all_of(request), factory }
    }
}

impl<F, A> Source for Streamed<F>
where
    F: FnMut() -> A + Send,
    A: Future<Output: IntoBody> + Send,
{
    async fn request(&mut self) -> reqwest::Result<Request> {
        let mut request = self.request.request().await?;
        let body: Body = (self.factory)().await.into_body().map_err(error_of)?;
        *request.body_mut() = Some(body);
        Ok(request)
    }

    fn has_more(&self) -> bool {
        self.request.has_more()
    }
}
