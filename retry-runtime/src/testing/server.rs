//! A small HTTP server whose replies are listed in advance.

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

/// A small HTTP/1.1 server on a free port of 127.0.0.1. It sends the listed replies, whatever the requests are.
///
/// It keeps connections alive, and stops when it is dropped.
///
/// ```
/// use retry_runtime::testing::{Reply, Server};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let simple = Server::start([503, 503, 200]);
/// let busy = Reply::status(503).header("retry-after", "1");
/// let server = Server::start([busy, Reply::reset(), Reply::ok("hello")]);
/// println!("{}/path", server.url());
/// assert_eq!(server.hits(), 0);
/// # });
/// ```
#[derive(Debug)]
pub struct Server {
    url: String,
    shared: Arc<Shared>,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Task(AbortHandle),
    /// A port that is bound, but not listened on, so that connections to it are refused.
    Refusing {
        _port: TcpSocket,
    },
}

#[derive(Debug)]
struct Shared {
    replies: Vec<Reply>,
    // Shared with the task that accepts connections, so that dropping the server closes the port at once.
    listener: Mutex<Option<TcpListener>>,
    requests: Mutex<Vec<Request<Bytes>>>,
    connections: Mutex<usize>,
}

impl Server {
    /// Starts a server that sends these replies, one for each request. The last reply is repeated. A number is a status.
    ///
    /// The server runs in the current tokio runtime, and on that runtime's clock, paused or not. Outside a runtime, for
    /// functions that block, it runs in its own thread.
    ///
    /// # Panics
    ///
    /// If `replies` is empty, if a number is not a status, if no port is free, or in a runtime without I/O.
    #[must_use]
    #[track_caller]
    pub fn start<R: Into<Reply>>(replies: impl IntoIterator<Item = R>) -> Self {
        let replies: Vec<_> = replies.into_iter().map(Into::into).collect();
        assert!(!replies.is_empty(), "a server needs at least one reply: the last one repeats");
        let own = Handle::try_current().is_err().then(own_runtime);
        let entered = own.as_ref().map(|runtime| runtime.enter());
        let (listener, address) = listen().expect("127.0.0.1 should have a free port");
        let shared = Shared::new(replies, Some(listener));
        let task = tokio::spawn(accept(shared.clone()));
        let running = Running::Task(task.abort_handle());
        drop(entered);
        if let Some(runtime) = own {
            std::thread::spawn(move || drop(runtime.block_on(task)));
        }
        Self { url: url(address), shared, running }
    }

    /// Creates a server that is down: its port refuses every connection.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    #[track_caller]
    pub fn refusing() -> Self {
        let port = TcpSocket::new_v4().and_then(|socket| socket.bind(ANY_PORT).map(|()| socket));
        let port = port.expect("127.0.0.1 should have a free port");
        let address = port.local_addr().expect("a bound socket should have an address");
        Self { url: url(address), shared: Shared::new(Vec::new(), None), running: Running::Refusing { _port: port } }
    }

    /// The URL of the server: `http://127.0.0.1:` and the port, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The number of requests received.
    #[must_use]
    pub fn hits(&self) -> usize {
        lock(&self.shared.requests).len()
    }

    /// The requests received, with their bodies.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        lock(&self.shared.requests).clone()
    }

    /// The number of connections accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(lock(&self.shared.listener).take());
        if let Running::Task(task) = &self.running {
            task.abort();
        }
    }
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn own_runtime() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_all().build().expect("the server should get a runtime")
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

    /// Accepts a connection. Ready with `None` once the server is dropped, and also if accepting fails.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Option<TcpStream>> {
        match &*lock(&self.listener) {
            None => Poll::Ready(None),
            Some(listener) => listener.poll_accept(cx).map(|accepted| Some(accepted.ok()?.0)),
        }
    }

    /// Records the request, and returns the reply to it.
    fn reply(&self, request: Request<Bytes>) -> Reply {
        let mut requests = lock(&self.requests);
        requests.push(request);
        self.replies[requests.len().min(self.replies.len()) - 1].clone()
    }
}

async fn accept(shared: Arc<Shared>) {
    // The connections end with the server, because a `JoinSet` aborts its tasks when it is dropped.
    let mut connections = JoinSet::new();
    while let Some(stream) = poll_fn(|cx| shared.poll_accept(cx)).await {
        *lock(&shared.connections) += 1;
        // Otherwise bodies arrive 40 ms late: Nagle's algorithm waits for the client's delayed acknowledgement.
        drop(stream.set_nodelay(true));
        connections.spawn(serve(stream, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| respond(&shared, request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = (&mut connection).await {
        if matches!(error.source().and_then(|error| error.downcast_ref()), Some(Fault::Reset)) {
            // Closing a socket with a linger time of zero resets the connection. `set_zero_linger` would need tokio 1.49,
            // which is above the lowest version that this library supports.
            #[allow(deprecated, reason = "deprecated because times above zero block the thread, which zero does not")]
            drop(connection.into_parts().io.inner().set_linger(Some(Duration::ZERO)));
        }
    }
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Result<Response<ReplyBody>, Fault> {
    let (parts, body) = request.into_parts();
    // An error means that the client has hung up.
    let body = body.collect().await.map_err(|_| Fault::HangUp)?.to_bytes();
    let Reply { status, headers, body, after } = shared.reply(Request::from_parts(parts, body));
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
    let mut response = Response::new(ReplyBody::of(body).await?);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    Ok(response)
}

/// The reaction of a [`Server`] to one request: a response, or a fault of the connection.
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
    Fault(Fault),
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    HangUp,
    Reset,
}

impl Reply {
    /// A response with this status and an empty body.
    ///
    /// # Panics
    ///
    /// If the number is not a status: below 100 or above 999.
    #[track_caller]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status);
        let status = status.unwrap_or_else(|_| panic!("a status is a number from 100 to 999"));
        Self { status, headers: HeaderMap::new(), body: Content::Whole(Bytes::new()), after: Duration::ZERO }
    }

    /// A response with status 200 and this body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// Closes the connection without a response.
    pub fn hang_up() -> Self {
        Self { body: Content::Fault(Fault::HangUp), ..Self::status(200) }
    }

    /// Resets the connection without a response.
    pub fn reset() -> Self {
        Self { body: Content::Fault(Fault::Reset), ..Self::status(200) }
    }

    /// Never responds, and keeps the connection open.
    pub fn never() -> Self {
        Self { body: Content::Never, ..Self::status(200) }
    }

    /// A response with status 200 and the start of a body, after which the server closes the connection.
    pub fn lost(start: impl Into<Bytes>) -> Self {
        Self { body: Content::Lost(start.into()), ..Self::status(200) }
    }

    /// Adds a header to the response.
    ///
    /// # Panics
    ///
    /// If `name` is not a valid header name, or `value` not a valid header value.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
        self.headers.append(name.expect("a valid header name"), value.expect("a valid header value"));
        self
    }

    /// Sets the body of the response.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Content::Whole(body.into()), ..self }
    }

    /// Delays the reply, by the clock of the runtime that the server runs in.
    pub fn after(self, delay: Duration) -> Self {
        Self { after: delay, ..self }
    }
}

/// Converts a status into a reply. Panics as [`Reply::status`] does.
impl From<u16> for Reply {
    #[track_caller]
    fn from(status: u16) -> Self {
        Self::status(status)
    }
}

struct ReplyBody {
    data: Option<Bytes>,
    rest: Rest,
}

#[derive(PartialEq)]
enum Rest {
    Nothing,
    /// Announced by `content-length`, but never sent.
    Announced,
    /// The next poll returns an error, which ends the connection.
    Due,
}

/// The number of bytes that a lost body announces on top of those that it sends.
const ANNOUNCED: u64 = 1000;

impl ReplyBody {
    async fn of(content: Content) -> Result<Self, Fault> {
        match content {
            Content::Whole(data) => Ok(Self { data: Some(data), rest: Rest::Nothing }),
            Content::Lost(data) => Ok(Self { data: Some(data), rest: Rest::Announced }),
            Content::Fault(fault) => Err(fault),
            Content::Never => core::future::pending().await,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.rest {
            Rest::Nothing => Poll::Ready(None),
            Rest::Announced => {
                // Pending once, so that hyper sends the data that it has buffered.
                self.rest = Rest::Due;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Rest::Due => Poll::Ready(Some(Err(Fault::HangUp))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest == Rest::Nothing && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.data.as_ref().map_or(0, Bytes::len) as u64;
        SizeHint::with_exact(data + if self.rest == Rest::Nothing { 0 } else { ANNOUNCED })
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the reply asks for a fault")
    }
}

impl Error for Fault {}
