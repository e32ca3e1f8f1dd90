//! A small HTTP server whose answers are written down in advance.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::task::{AbortHandle, JoinSet};

use crate::util::sync::lock;

/// A small HTTP/1.1 server on a free port of 127.0.0.1, which answers with what is written down, whatever the request.
///
/// It keeps connections alive, and stops when it is dropped.
///
/// ```
/// use retry_runtime::testing::{Reply, Server};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let simple = Server::start([503, 503, 200]);
/// let server = Server::start([Reply::status(503).header("retry-after", "1"), Reply::reset(), Reply::ok("hello")]);
/// println!("{}/path", server.url());
/// assert_eq!(server.hits(), 0);
/// # });
/// ```
#[derive(Debug)]
pub struct Server {
    url: String,
    shared: Arc<Shared>,
    running: AttemptFuture,
}

#[derive(Debug)]
enum AttemptFuture {
    Task(AbortHandle),
    /// A port that is taken, on which nobody listens.
    Refusing {
        _port: TcpSocket,
    },
}

#[derive(Debug)]
struct Shared {
    replies: Vec<Reply>,
    // Here, for the port to be closed as soon as the server is dropped.
    listener: Mutex<Option<TcpListener>>,
    requests: Mutex<Vec<Request<Bytes>>>,
    connections: Mutex<usize>,
}

impl Server {
    /// Answers with these replies, one after the other; the last one repeats. A number is a status.
    ///
    /// It runs in the tokio runtime that it is called in, and on its clock, be that paused or not. Outside of one, for functions
    /// that block, it runs in a thread of its own.
    ///
    /// # Panics
    ///
    /// When there are no replies, or a number is no status; when there is no free port; in a runtime without I/O.
    #[must_use]
    #[track_caller]
    pub fn start<R: Into<Reply>>(replies: impl IntoIterator<Item = R>) -> Self {
        let replies: Vec<_> = replies.into_iter().map(Into::into).collect();
        assert!(!replies.is_empty(), "a server needs at least one reply: the last one repeats");
        let own = Handle::try_current().is_err().then(own_runtime);
        let entered = own.as_ref().map(|runtime| runtime.enter());
        let (listener, address) = listen().expect("there is a free port on 127.0.0.1");
        let shared = Shared::new(replies, Some(listener));
        let task = tokio::spawn(accept(shared.clone()));
        let running = AttemptFuture::Task(task.abort_handle());
        drop(entered);
        if let Some(runtime) = own {
            std::thread::spawn(move || drop(runtime.block_on(task)));
        }
        Self { url: url(address), shared, running }
    }

    /// A server that is down: its port refuses every connection.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    #[must_use]
    #[track_caller]
    pub fn refusing() -> Self {
        let port = TcpSocket::new_v4().and_then(|socket| socket.bind(ANY_PORT).map(|()| socket));
        let port = port.expect("there is a free port on 127.0.0.1");
        let address = port.local_addr().expect("a socket that is bound has an address");
        Self {
            url: url(address),
            shared: Shared::new(Vec::new(), None),
            running: AttemptFuture::Refusing { _port: port },
        }
    }

    /// `http://127.0.0.1:` and the port, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests came.
    #[must_use]
    pub fn hits(&self) -> usize {
        lock(&self.shared.requests).len()
    }

    /// The requests that came, with their bodies.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        lock(&self.shared.requests).clone()
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(lock(&self.shared.listener).take());
        if let AttemptFuture::Task(task) = &self.running {
            task.abort();
        }
    }
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn own_runtime() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime for the server")
}

fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(ANY_PORT)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

impl Shared {
    fn new(replies: Vec<Reply>, listener: Option<TcpListener>) -> Arc<Self> {
        let listener = Mutex::new(listener);
        Arc::new(Self { replies, listener, requests: Mutex::default(), connections: Mutex::default() })
    }

    /// Ready with nothing once the server is dropped.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Option<TcpStream>> {
        match &*lock(&self.listener) {
            None => Poll::Ready(None),
            Some(listener) => listener.poll_accept(cx).map(|accepted| Some(accepted.ok()?.0)),
        }
    }

    fn reply(&self, request: Request<Bytes>) -> Reply {
        let mut requests = lock(&self.requests);
        requests.push(request);
        self.replies[requests.len().min(self.replies.len()) - 1].clone()
    }
}

async fn accept(shared: Arc<Shared>) {
    // They end with the server.
    let mut connections = JoinSet::new();
    while let Some(stream) = poll_fn(|cx| shared.poll_accept(cx)).await {
        *lock(&shared.connections) += 1;
        // Without it, bodies arrive 40 ms late.
        drop(stream.set_nodelay(true));
        connections.spawn(serve(stream, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| value(&shared, request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = (&mut connection).await {
        if matches!(error.source().and_then(|error| error.downcast_ref()), Some(Fault::Reset)) {
            // `set_zero_linger` needs tokio 1.49, and this is a library's lower bound. A zero time does not block.
            #[allow(deprecated, reason = "deprecated for times above zero, which block")]
            drop(connection.into_parts().io.inner().set_linger(Some(Duration::ZERO)));
        }
    }
}

async fn value(shared: &Shared, request: Request<Incoming>) -> Result<Response<Value>, Fault> {
    let (parts, body) = request.into_parts();
    // An error is a client that has hung up.
    let body = body.collect().await.map_err(|_| Fault::HangUp)?.to_bytes();
    let Reply { status, headers, body, after } = shared.reply(Request::from_parts(parts, body));
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
    let mut response = Response::new(Value::of(body).await?);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    Ok(response)
}

/// What a [`Server`] does with one request: an answer, or a fault of the connection.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Content,
    after: Duration,
}

#[derive(Clone, Debug)]
enum Content {
    Whole(Bytes),
    Lost(Bytes),
    NoCleanup(Fault),
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    HangUp,
    Reset,
}

impl Reply {
    /// An answer with this status and an empty body.
    ///
    /// # Panics
    ///
    /// When it is no status: below 100 or above 999.
    #[track_caller]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status);
        let status = status.unwrap_or_else(|_| panic!("a status is a number from 100 to 999"));
        Self { status, headers: HeaderMap::new(), body: Content::Whole(Bytes::new()), after: Duration::ZERO }
    }

    /// Status 200 with this body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// Hangs up without an answer.
    pub fn hang_up() -> Self {
        Self { body: Content::NoCleanup(Fault::HangUp), ..Self::status(200) }
    }

    /// Resets the connection without an answer.
    pub fn reset() -> Self {
        Self { body: Content::NoCleanup(Fault::Reset), ..Self::status(200) }
    }

    /// Never answers, and keeps the connection.
    pub fn never() -> Self {
        Self { body: Content::Never, ..Self::status(200) }
    }

    /// Status 200 and the start of a body; then it hangs up.
    pub fn lost(start: impl Into<Bytes>) -> Self {
        Self { body: Content::Lost(start.into()), ..Self::status(200) }
    }

    /// One more header.
    ///
    /// # Panics
    ///
    /// When name or value is not one of a header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
        self.headers.append(name.expect("the name of a header"), value.expect("the value of a header"));
        self
    }

    /// This body.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Content::Whole(body.into()), ..self }
    }

    /// Only after this long; by the clock of the runtime that the server runs in.
    pub fn after(self, delay: Duration) -> Self {
        Self { after: delay, ..self }
    }
}

/// A status. Panics as [`Reply::status`] does.
impl From<u16> for Reply {
    #[track_caller]
    fn from(status: u16) -> Self {
        Self::status(status)
    }
}

/// A body as it is sent.
struct Value {
    data: Option<Bytes>,
    rest: Rest,
}

#[derive(PartialEq)]
enum Rest {
    NoCleanup,
    /// Announced, and not sent.
    Announced,
    /// The next that is asked of it is an error.
    Due,
}

/// What is announced of a body that is lost.
const ANNOUNCED: u64 = 1000;

impl Value {
    async fn of(content: Content) -> Result<Self, Fault> {
        match content {
            Content::Whole(data) => Ok(Self { data: Some(data), rest: Rest::NoCleanup }),
            Content::Lost(data) => Ok(Self { data: Some(data), rest: Rest::Announced }),
            Content::NoCleanup(fault) => Err(fault),
            Content::Never => core::future::pending().await,
        }
    }
}

impl Body for Value {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.rest {
            Rest::NoCleanup => Poll::Ready(None),
            Rest::Announced => {
                // For hyper to send what it has.
                self.rest = Rest::Due;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Rest::Due => Poll::Ready(Some(Err(Fault::HangUp))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest == Rest::NoCleanup && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.data.as_ref().map_or(0, Bytes::len) as u64;
        SizeHint::with_exact(data + if self.rest == Rest::NoCleanup { 0 } else { ANNOUNCED })
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the reply asks for a fault")
    }
}

impl Error for Fault {}
