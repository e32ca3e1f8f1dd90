//! Tables in the documentation that a test makes: `BLESS=1 cargo test -p retry-tests tables` writes them anew.

use std::env;
use std::fmt::Write;
use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http_body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Method, Response};
use retry_runtime::http::{RequestRetry, SendWithRetry, TrackRedirects};
use retry_runtime::{Condition, Policy, retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

use crate::server::{Reply, Server, refused};
use crate::support::{Recorder, SECOND, ms};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../retry-runtime/src/http/guide/index.md");

/// Compares a table with the one that stands in the documentation behind the mark.
pub(crate) fn expect(mark: &str, columns: &[&str], rows: &[Vec<String>]) {
    let mut table = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        writeln!(table, "| {} |", row.join(" | ")).unwrap();
    }
    // Two tests may write it.
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let guide = fs::read_to_string(GUIDE).unwrap();
    let (before, rest) = guide.split_once(&format!("<!-- {mark} -->\n")).unwrap();
    let (documented, after) = rest.split_once("<!-- end -->").unwrap();
    if env::var_os("BLESS").is_some() {
        return fs::write(GUIDE, format!("{before}<!-- {mark} -->\n{table}<!-- end -->{after}")).unwrap();
    }
    assert_eq!(documented, table, "the guide does not say what happens: BLESS=1 writes it anew");
}

/// The files that the guide points to are there; rustdoc looks at links to items only.
#[test]
fn what_the_guide_points_to_is_there() {
    let guide = fs::read_to_string(GUIDE).unwrap();
    let files = guide.split("](../").skip(1).map(|rest| format!("../{}", rest.split_once(')').unwrap().0));
    let missing: Vec<_> = files.filter(|file| !Path::new(GUIDE).parent().unwrap().join(file).exists()).collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn builder() -> ClientBuilder {
    Client::builder().no_proxy().pool_idle_timeout(None)
}

/// Every request is answered by status 503 and a body of so many bytes, a kilobyte each millisecond; without a size it has no
/// end.
async fn busy(size: Option<usize>, connections: Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let answer =
                    service_fn(move |_| async move { http::Response::builder().status(503).body(Slow::new(size)) });
                // An error is a client that hung up.
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    url
}

/// A body that comes a kilobyte each millisecond.
struct Slow {
    left: Option<usize>,
    next: Pin<Box<Sleep>>,
}

impl Slow {
    fn new(left: Option<usize>) -> Self {
        Self { left, next: Box::pin(sleep(ms(1))) }
    }
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        ready!(self.next.as_mut().poll(cx));
        self.next = Box::pin(sleep(ms(1)));
        let piece = self.left.unwrap_or(1000).min(1000);
        self.left = self.left.map(|left| left - piece);
        Poll::Ready(Some(Ok(Frame::data(vec![b'x'; piece].into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }
}

/// What five attempts on a body of this size take.
async fn connections(size: Option<usize>, client: Client, limit: usize) -> (u32, u32) {
    const FIVE: Policy = Policy::fixed(Duration::from_secs(2)).attempts(5);
    #[retry(policy = policy, bind = attempt)]
    async fn fetch(client: &Client, url: &str, policy: Policy, attempts: &AtomicU32) -> reqwest::Result<Response> {
        attempts.store(attempt.number(), Ordering::Relaxed);
        client.get(url).send().await
    }
    let (made, attempts) = (Arc::new(AtomicU32::new(0)), AtomicU32::new(0));
    let url = busy(size, made.clone()).await;
    let response = fetch(&client, &url, FIVE.drain_limit(limit), &attempts).await.unwrap();
    assert_eq!(response.status(), 503);
    (attempts.into_inner(), made.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn connections_of_five_attempts() {
    let mut rows = Vec::new();
    let sizes =
        [("0 B", Some(0)), ("1 kB", Some(1000)), ("10 kB", Some(10_000)), ("1 MB", Some(1_000_000)), ("endless", None)];
    for (name, size) in sizes {
        let http1 = || builder().http1_only().build().unwrap();
        let http2 = || builder().http2_prior_knowledge().build().unwrap();
        let (attempts, over_http1) = connections(size, http1(), 64 * 1024).await;
        let (_, over_http2) = connections(size, http2(), 64 * 1024).await;
        let (_, dropped) = connections(size, http1(), 0).await;
        rows.push(vec![
            name.to_owned(),
            attempts.to_string(),
            over_http1.to_string(),
            over_http2.to_string(),
            dropped.to_string(),
        ]);
    }
    let columns =
        ["body of the 503", "attempts", "connections, HTTP/1.1", "connections, HTTP/2", "HTTP/1.1, `drain_limit` 0"];
    expect("connections", &columns, &rows);
}

/// Finds no name.
struct Nowhere;

impl Resolve for Nowhere {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err("no such host".into()) })
    }
}

/// A connector whose connections fail where TLS would be agreed on.
#[derive(Clone)]
struct NoHandshake<S>(S);

impl<S, T> tower_service::Service<T> for NoHandshake<S>
where
    S: tower_service::Service<T, Error = Box<dyn std::error::Error + Send + Sync>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let connecting = self.0.call(target);
        Box::pin(async {
            drop(connecting.await?);
            Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "handshake failure").into())
        })
    }
}

#[derive(Clone)]
struct FailHandshakes;

impl<S> tower_layer::Layer<S> for FailHandshakes {
    type Service = NoHandshake<S>;
    fn layer(&self, inner: S) -> NoHandshake<S> {
        NoHandshake(inner)
    }
}

/// Speaks HTTP/2, and refuses every stream; counts them.
async fn refusing(streams: Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(refuse(stream, streams.clone()));
        }
    });
    url
}

async fn refuse(stream: TcpStream, streams: Arc<AtomicU32>) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        streams.fetch_add(1, Ordering::Relaxed);
        request?.1.send_reset(Reason::REFUSED_STREAM);
    }
    poll_fn(|cx| connection.poll_closed(cx)).await
}

/// Speaks HTTP/2, and answers each request by shutting down before it: GOAWAY(NO_ERROR), last stream 0. Counts the requests.
async fn shutting_down(requests: Arc<AtomicU32>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(shut_down(stream, requests.clone()));
        }
    });
    url
}

/// By hand, since h2 counts a stream that it has seen as one that it may process.
async fn shut_down(mut stream: TcpStream, requests: Arc<AtomicU32>) -> std::io::Result<()> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const HEADERS: u8 = 1;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&SETTINGS).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize]).await?;
        if head[3] == HEADERS {
            requests.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&GOAWAY).await?;
        }
    }
}

/// How a request fails.
struct Case {
    name: &'static str,
    client: Client,
    url: String,
}

impl Case {
    fn new(name: &'static str, client: ClientBuilder, url: impl Into<String>) -> Self {
        Self { name, client: client.build().unwrap(), url: url.into() }
    }

    /// How many attempts a request makes of it.
    async fn attempts(&self, method: Method, key: bool, retry: RequestRetry) -> String {
        let recorder = Recorder::new();
        let retry = retry.observer(recorder.clone());
        let mut request = self.client.request(method, &self.url).body("body");
        if key {
            request = request.header("idempotency-key", "1");
        }
        drop(request.send_with_retry(&retry).await);
        let lines = recorder.lines();
        match lines.iter().filter(|line| line.ends_with("AttemptStarted")).count() {
            1 if lines.last().unwrap().ends_with("GaveUp(NotIdempotent)") => "once".to_owned(),
            1 if lines.last().unwrap().ends_with("GaveUp(Permanent)") => "once, as any".to_owned(),
            2 => "again".to_owned(),
            _ => panic!("{}: {lines:#?}", self.name),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_post_does() {
    const TWO: Policy = Policy::fixed(SECOND).attempts(2).attempt_timeout(Duration::from_secs(9));
    let of = async |reply: Reply| Box::leak(Box::new(Server::start([reply]).await)).url.clone();
    let builder = || builder().track_redirects();
    let cases = [
        Case::new("the connection is refused", builder(), refused().await),
        Case::new("the name is not found", builder().dns_resolver(Arc::new(Nowhere)), "http://nowhere.example/"),
        Case::new("the TLS handshake fails", builder().connector_layer(FailHandshakes), of(Reply::status(200)).await),
        Case::new("HTTP/2: the stream is refused", builder().http2_prior_knowledge(), refusing(Arc::default()).await),
        Case::new("429", builder(), of(Reply::status(429)).await),
        Case::new("503 with `Retry-After`", builder(), of(Reply::status(503).retry_after("1")).await),
        Case::new("503", builder(), of(Reply::status(503)).await),
        Case::new("500", builder(), of(Reply::status(500)).await),
        Case::new("502", builder(), of(Reply::status(502)).await),
        Case::new("504", builder(), of(Reply::status(504)).await),
        Case::new("408", builder(), of(Reply::status(408)).await),
        Case::new("the connection is lost before the answer", builder(), of(Reply::nothing()).await),
        Case::new("the attempt takes too long", builder(), of(Reply::silence()).await),
        Case::new("404", builder(), of(Reply::status(404)).await),
    ];
    let mut rows = Vec::new();
    for case in cases {
        let retry = || RequestRetry::new(TWO);
        rows.push(vec![
            case.name.to_owned(),
            case.attempts(Method::GET, false, retry()).await,
            case.attempts(Method::POST, false, retry()).await,
            case.attempts(Method::POST, true, retry()).await,
            case.attempts(Method::POST, false, retry().idempotent()).await,
        ]);
    }
    expect("methods", &["what happens", "GET", "POST", "POST with `Idempotency-Key`", "POST, `.idempotent()`"], &rows);
}

#[tokio::test(start_paused = true)]
async fn the_methods_are_the_users_to_change() {
    let posts = Condition::new().methods(&["POST"]);
    let retry = || RequestRetry::new(Policy::fixed(SECOND).attempts(2)).condition(posts);
    let server = Server::statuses([500]).await;
    let case = Case::new("500", builder(), &server.url);
    assert_eq!(case.attempts(Method::POST, false, retry()).await, "again");
    assert_eq!(case.attempts(Method::GET, false, retry()).await, "once");
    assert_eq!(case.attempts(Method::PATCH, false, RequestRetry::new(Policy::fixed(SECOND).attempts(2))).await, "once");
}

/// reqwest sends a refused stream again by itself; `reqwest::retry::never()` leaves that to us, and the counts are exact.
#[tokio::test(start_paused = true)]
async fn attempts_are_hits_where_reqwest_does_not_retry_by_itself() {
    async fn hits(client: ClientBuilder) -> (usize, u32) {
        let (streams, recorder) = (Arc::new(AtomicU32::new(0)), Recorder::new());
        let retry = RequestRetry::new(Policy::fixed(SECOND).attempts(3)).observer(recorder.clone());
        let client = client.http2_prior_knowledge().build().unwrap();
        client.get(refusing(streams.clone()).await).send_with_retry(&retry).await.unwrap_err();
        let attempts = recorder.lines().iter().filter(|line| line.ends_with("AttemptStarted")).count();
        (attempts, streams.load(Ordering::Relaxed))
    }
    assert_eq!(hits(builder()).await, (3, 9));
    assert_eq!(hits(builder().retry(reqwest::retry::never())).await, (3, 3));
}

/// The same of a server that shuts down, for a POST.
#[tokio::test(start_paused = true)]
async fn a_post_is_sent_once_for_each_attempt_where_reqwest_does_not_resend_after_goaway() {
    async fn posts(client: ClientBuilder) -> (usize, u32) {
        let (posts, recorder) = (Arc::new(AtomicU32::new(0)), Recorder::new());
        let condition = Condition::new().assume_no_redirects();
        let retry =
            RequestRetry::new(Policy::fixed(SECOND).attempts(3)).condition(condition).observer(recorder.clone());
        let client = client.http2_prior_knowledge().build().unwrap();
        let url = shutting_down(posts.clone()).await;
        client.post(url).body("one").send_with_retry(&retry).await.unwrap_err();
        let attempts = recorder.lines().iter().filter(|line| line.ends_with("AttemptStarted")).count();
        (attempts, posts.load(Ordering::Relaxed))
    }
    assert_eq!(posts(builder()).await, (3, 9));
    assert_eq!(posts(builder().retry(reqwest::retry::never())).await, (3, 3));
    assert_eq!(posts(builder().track_redirects()).await, (3, 3));
}
