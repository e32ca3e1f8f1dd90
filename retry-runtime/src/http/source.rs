//! Sources of requests: one request for each attempt.

use core::time::Duration;
use std::vec;

use http::{Extensions, HeaderMap, Method, Version};
use reqwest::{Body, Request, Url};

use super::body::IntoBody;
use super::options::Options;
use crate::classify::clients::reqwest::error_of;

/// A source of requests, one for each attempt.
pub(super) trait Source: Send {
    /// The request of the next attempt. Called only if [`has_more`](Self::has_more) is true. `url` is its URL, if
    /// [`is_next`](Self::is_next) has found it.
    fn request(&mut self, url: Option<Url>) -> impl Future<Output = reqwest::Result<Request>> + Send;

    /// The extensions of the request that was returned last, for middleware.
    fn extensions(&self) -> Option<Extensions> {
        None
    }

    /// Returns whether this is the URL of the next request, which would otherwise be parsed. A clone costs a fraction of that.
    fn is_next(&self, _: &Url) -> bool {
        false
    }

    /// Returns whether there is a request for another attempt.
    fn has_more(&self) -> bool;

    /// The method of the request for the next attempt, if there is one.
    fn next_method(&self) -> Option<&Method>;

    /// The URL of the request for the next attempt, if it may be another one than before.
    fn next_url(&self) -> Option<&Url> {
        None
    }

    /// The method of the first request, which was sent outside the loop, if it must not be resent unless the server cannot have
    /// processed it.
    fn guarded(&self, _: &Options) -> Option<Method> {
        None
    }
}

/// The same request for each attempt.
///
/// [`Request::try_clone`] allocates, for an attempt that hardly ever comes. So a plain GET whose URL has a common length is
/// kept as the text of its URL, without an allocation. This value moves with the future that it is part of, so the further
/// parts of other requests are boxed.
pub(super) struct Repeated {
    url: Text,
    /// The parts that a plain GET of the URL does not have.
    more: Option<Box<More>>,
}

enum More {
    /// A request without a body, except its URL.
    Head(Head),
    /// A whole request. If its body is a stream, the request is taken out when it is sent.
    Whole(Request),
}

impl Repeated {
    #[inline]
    pub(super) fn nothing() -> Self {
        Self { url: Text::empty(), more: None }
    }

    /// The source of every attempt, including the first.
    pub(super) fn all_of(request: Request) -> Self {
        Self { url: Text::empty(), more: Some(More::Whole(request).into()) }
    }

    /// Sends `request`, and keeps in `self` what is needed to resend it. It writes in place, because moves are most of the
    /// cost.
    #[inline]
    pub(super) fn first<F>(&mut self, request: Request, send: impl FnOnce(Request) -> F) -> F {
        if is_plain_get(&request) && self.url.set(request.url().as_str()) {
            return send(request);
        }
        self.first_with_more(request, send)
    }

    // Not inlined, to keep the code for a plain GET small.
    #[inline(never)]
    fn first_with_more<F>(&mut self, request: Request, send: impl FnOnce(Request) -> F) -> F {
        self.more = if request.body().is_none() && self.url.set(request.url().as_str()) {
            Some(More::Head(Head::of(&request)).into())
        } else {
            request.try_clone().map(|request| More::Whole(request).into())
        };
        send(request)
    }
}

impl Source for Repeated {
    async fn request(&mut self, url: Option<Url>) -> reqwest::Result<Request> {
        let url = || url.or_else(|| self.url.get());
        let copy = match self.more.as_deref() {
            None => url().map(|url| Request::new(Method::GET, url)),
            Some(More::Head(head)) => url().map(|url| head.request(url)),
            Some(More::Whole(request)) => request.try_clone(),
        };
        // A request that cannot be copied, because its body is a stream, is sent itself.
        let last = || match *self.more.take()? {
            More::Whole(request) => Some(request),
            More::Head(_) => None,
        };
        // There is a request, so an error means that its URL could not be parsed again from its own text.
        copy.or_else(last).ok_or_else(|| error_of("the request cannot be rebuilt from its URL".into()))
    }

    fn is_next(&self, url: &Url) -> bool {
        self.url.is(url.as_str())
    }

    fn has_more(&self) -> bool {
        self.more.is_some() || !self.url.is_empty()
    }

    fn next_method(&self) -> Option<&Method> {
        self.has_more().then(|| self.head().0)
    }

    fn guarded(&self, options: &Options) -> Option<Method> {
        let (method, headers) = self.head();
        (self.has_more() && options.guards_head(method, headers)).then(|| method.clone())
    }
}

impl Repeated {
    fn head(&self) -> (&Method, Option<&HeaderMap>) {
        match self.more.as_deref() {
            None => (&Method::GET, None),
            Some(More::Head(head)) => (&head.method, Some(&head.headers)),
            Some(More::Whole(request)) => (request.method(), Some(request.headers())),
        }
    }
}

/// Returns whether [`Request::new`] would make the same request from the method GET and the URL.
#[inline]
fn is_plain_get(request: &Request) -> bool {
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.timeout().is_none()
        && request.headers().is_empty()
        && request.body().is_none()
}

/// A request without a body, except its URL.
struct Head {
    method: Method,
    version: Version,
    timeout: Option<Duration>,
    headers: HeaderMap,
}

impl Head {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            version: request.version(),
            timeout: request.timeout().copied(),
            headers: request.headers().clone(),
        }
    }

    fn request(&self, url: Url) -> Request {
        let mut request = Request::new(self.method.clone(), url);
        *request.version_mut() = self.version;
        *request.timeout_mut() = self.timeout;
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// The text of a URL, which is parsed again for another attempt.
struct Text {
    length: usize,
    // Room for common URLs only: all of it moves with the future.
    bytes: [u8; 64],
}

impl Text {
    #[inline]
    fn empty() -> Self {
        Self { length: 0, bytes: [0; 64] }
    }

    fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Stores the text. Returns false if it is too long.
    #[inline]
    fn set(&mut self, text: &str) -> bool {
        let Some(bytes) = self.bytes.get_mut(..text.len()) else { return false };
        bytes.copy_from_slice(text.as_bytes());
        self.length = text.len();
        true
    }

    fn is(&self, text: &str) -> bool {
        !self.is_empty() && self.bytes.get(..self.length) == Some(text.as_bytes())
    }

    fn get(&self) -> Option<Url> {
        Url::parse(core::str::from_utf8(self.bytes.get(..self.length)?).ok()?).ok()
    }
}

/// A different request for each attempt; the last one is repeated.
pub(super) struct RequestList {
    requests: vec::IntoIter<(Request, Extensions)>,
    last: Repeated,
    last_extensions: Extensions,
    /// The extensions of the request that was returned last. Missing for the last request of the list.
    current: Option<Extensions>,
}

impl RequestList {
    /// Returns `None` if `requests` is empty.
    pub(super) fn new(mut requests: Vec<(Request, Extensions)>) -> Option<Self> {
        let (last, last_extensions) = requests.pop()?;
        let last = Repeated::all_of(last);
        Some(Self { requests: requests.into_iter(), last, last_extensions, current: None })
    }
}

impl Source for RequestList {
    async fn request(&mut self, _: Option<Url>) -> reqwest::Result<Request> {
        match self.requests.next() {
            Some((request, extensions)) => {
                self.current = Some(extensions);
                Ok(request)
            }
            None => {
                self.current = None;
                self.last.request(None).await
            }
        }
    }

    fn extensions(&self) -> Option<Extensions> {
        Some(self.current.as_ref().unwrap_or(&self.last_extensions).clone())
    }

    fn has_more(&self) -> bool {
        self.requests.len() > 0 || self.last.has_more()
    }

    fn next_url(&self) -> Option<&Url> {
        let last = || match self.last.more.as_deref() {
            Some(More::Whole(request)) => Some(request.url()),
            _ => None,
        };
        self.requests.as_slice().first().map(|(request, _)| request.url()).or_else(last)
    }

    fn next_method(&self) -> Option<&Method> {
        self.requests.as_slice().first().map(|(request, _)| request.method()).or_else(|| self.last.next_method())
    }
}

/// The same request for each attempt, with a body that is made anew.
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
    async fn request(&mut self, _: Option<Url>) -> reqwest::Result<Request> {
        let mut request = self.request.request(None).await?;
        let body: Body = (self.factory)().await.into_body().map_err(error_of)?;
        *request.body_mut() = Some(body);
        Ok(request)
    }

    fn has_more(&self) -> bool {
        self.request.has_more()
    }

    fn next_method(&self) -> Option<&Method> {
        self.request.next_method()
    }
}
