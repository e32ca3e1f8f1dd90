//! Where the request of each attempt comes from.

use core::time::Duration;
use std::vec;

use http::{HeaderMap, Method, Version};
use reqwest::{Body, Request, Url};
use smallvec::SmallVec;

use super::body::{IntoBody, error_of};

/// Gives a request for each attempt.
pub(super) trait Source: Send {
    /// The request of the next attempt. Asked for only while [`has_more`](Self::has_more).
    fn request(&mut self) -> impl Future<Output = reqwest::Result<Request>> + Send;

    /// Whether there is a request for another attempt.
    fn has_more(&self) -> bool;
}

/// The same request each time.
pub(super) struct Repeated {
    first: Option<reqwest::Result<Request>>,
    again: Again,
}

enum Again {
    Copied(Copied),
    Whole(Request),
    /// The body is a stream, which only the first attempt can have.
    Never,
}

impl Repeated {
    /// `is_single` if there will be no other attempt, so that nothing has to be kept for it.
    #[inline]
    pub(super) fn new(request: reqwest::Result<Request>, is_single: bool) -> Self {
        let again = match &request {
            Ok(request) if !is_single => Again::of(request),
            _ => Again::Never,
        };
        Self { first: Some(request), again }
    }

    #[inline]
    fn next(&mut self) -> Option<reqwest::Result<Request>> {
        self.first.take().or_else(|| self.again.request().map(Ok))
    }
}

impl Source for Repeated {
    #[inline]
    async fn request(&mut self) -> reqwest::Result<Request> {
        self.next().unwrap_or_else(nothing_left)
    }

    #[inline]
    fn has_more(&self) -> bool {
        !matches!(self.again, Again::Never)
    }
}

impl Again {
    #[inline]
    fn of(request: &Request) -> Self {
        match request.body() {
            None => Self::Copied(Copied::of(request)),
            Some(_) => request.try_clone().map_or(Self::Never, Self::Whole),
        }
    }

    #[cold]
    fn request(&self) -> Option<Request> {
        match self {
            Self::Copied(copied) => copied.request(),
            Self::Whole(request) => request.try_clone(),
            Self::Never => None,
        }
    }
}

/// What is needed to make a request without a body again. [`Request::try_clone`] would allocate for the URL, for an
/// attempt that hardly ever comes; this does not, for a URL of common length.
struct Copied {
    method: Method,
    url: SmallVec<[u8; 120]>,
    headers: HeaderMap,
    version: Version,
    timeout: Option<Duration>,
}

impl Copied {
    #[inline]
    fn of(request: &Request) -> Self {
        let headers = if request.headers().is_empty() { HeaderMap::new() } else { request.headers().clone() };
        Self {
            method: request.method().clone(),
            url: SmallVec::from_slice(request.url().as_str().as_bytes()),
            headers,
            version: request.version(),
            timeout: request.timeout().copied(),
        }
    }

    /// The text of a URL gives that URL again.
    fn request(&self) -> Option<Request> {
        let url = Url::parse(core::str::from_utf8(&self.url).ok()?).ok()?;
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        *request.version_mut() = self.version;
        *request.timeout_mut() = self.timeout;
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
        let last = requests.pop()?;
        Some(Self { requests: requests.into_iter(), last: Repeated::whole(last) })
    }
}

impl Repeated {
    fn whole(request: Request) -> Self {
        let again = request.try_clone().map_or(Again::Never, Again::Whole);
        Self { first: Some(Ok(request)), again }
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
        self.requests.len() > 0 || self.last.first.is_some() || self.last.has_more()
    }
}

/// The same request each time, with a body that is made anew.
pub(super) struct Streamed<F> {
    request: Repeated,
    factory: F,
}

impl<F> Streamed<F> {
    pub(super) fn new(request: reqwest::Result<Request>, factory: F) -> Self {
        let without_body = request.map(|mut request| {
            *request.body_mut() = None;
            request
        });
        Self { request: Repeated::new(without_body, false), factory }
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

/// Nobody asks for a request that is not there, but for a URL whose text is none.
#[cold]
fn nothing_left() -> reqwest::Result<Request> {
    Err(error_of("the request cannot be made again".into()))
}
