//! Cost of requests through the attribute, `send_with_retry` and the middleware, without an observer. A successful request is
//! compared with bare reqwest and with a middleware that does nothing, and a request that is retried once with a loop
//! written by hand:
//!
//! ```text
//! cargo bench -p retry-runtime --features reqwest-middleware --bench requests
//! ```
//!
//! The loop by hand builds each request anew, and drops a response that it retries without reading it.
//!
//! Client and server run on one thread and use one connection, so instructions (counted by valgrind's callgrind) and
//! allocations include both sides, and the rows differ only in the code around the request.

#[path = "../cost/callgrind.rs"]
mod callgrind;
#[allow(dead_code, reason = "only the other benchmark uses the peak")]
#[path = "../cost/heap.rs"]
mod heap;

use std::cell::Cell;
use std::future;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::{Client, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::propagation::Propagation;
use retry_runtime::{Policy, retry};
use tokio::net::TcpListener;

const POLICY: Policy = Policy::exponential(Duration::from_millis(1)).attempts(4).max_delay(Duration::from_secs(1));

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", how, times] => drop(run(how, times.parse().unwrap())),
        // `cargo test --benches` does not pass this argument.
        [.., "--bench"] => compare(),
        _ => println!("cargo bench -p retry-runtime --features reqwest-middleware --bench requests"),
    }
}

fn compare() {
    println!(
        "{:<34}{:>14}{:>12}{:>8}{:>14}",
        "one request that succeeds", "instructions", "allocations", "bytes", "more, goal"
    );
    let bare = line("reqwest", None);
    line("send_with_retry", Some((bare, 200.0)));
    let empty = line("a middleware that does nothing", Some((bare, f64::INFINITY)));
    line("the middleware", Some((empty, 300.0)));
    println!("\none request that is retried once");
    let by_hand = line("a loop by hand", None);
    line("the attribute, retried", Some((by_hand, 1200.0)));
    line("send_with_retry, retried", Some((by_hand, 1500.0)));
    line("the middleware, retried", Some((by_hand, 3000.0)));
    // With a deadline in both lines of a pair, because it is the time that is sent.
    println!("\none request with a deadline");
    let off = line("no headers", None);
    line("propagate", Some((off, f64::INFINITY)));
    let off = line("no headers, retried", None);
    line("propagate, retried", Some((off, f64::INFINITY)));
}

/// Prints a line, compared with another figure and the allowed difference. Returns the instructions.
fn line(how: &str, beside: Option<(Option<f64>, f64)>) -> Option<f64> {
    let instructions = instructions(how);
    let shown = instructions.map_or("no valgrind".to_owned(), |count| format!("{count:.0}"));
    let more = beside.and_then(|(other, most)| Some((instructions? - other?, most)));
    let goal = more.map_or(String::new(), |(more, most)| match (most.is_finite(), more <= most) {
        (false, _) => format!("{more:+.0}"),
        (true, true) => format!("{more:+.0} ≤ {most:.0} met"),
        (true, false) => format!("{more:+.0} ≤ {most:.0} NOT MET"),
    });
    let (allocations, bytes) = allocations(how);
    println!("{how:<34}{shown:>14}{allocations:>12.2}{bytes:>8}   {goal}");
    instructions
}

/// Returns the instructions of one request.
fn instructions(how: &str) -> Option<f64> {
    let of = |times: u64| callgrind::count_instructions(&["count", how, &times.to_string()]);
    // Take the difference, so that the work before and after the requests does not count.
    Some((of(450)? - of(50)?) / 400.0)
}

/// Returns the allocations of one request, and their bytes.
fn allocations(how: &str) -> (f64, usize) {
    let heap = run(how, 200);
    (heap.allocations as f64 / 200.0, heap.bytes / 200)
}

fn run(how: &str, times: u64) -> heap::Use {
    match how {
        "reqwest" => requests(client(), times, async |client, url| client.get(url).send().await.unwrap()),
        "send_with_retry" => {
            requests(client(), times, async |client, url| client.get(url).send_with_retry(&POLICY).await.unwrap())
        }
        "a middleware that does nothing" => requests(through(Nothing), times, get),
        "the middleware" => requests(through(RequestRetry::new(POLICY)), times, get),
        "a loop by hand" => retried(client(), times, by_hand),
        "the attribute, retried" => retried(client(), times, async |client, url| annotated(client, url).await.unwrap()),
        "send_with_retry, retried" => {
            retried(client(), times, async |client, url| client.get(url).send_with_retry(&POLICY).await.unwrap())
        }
        "no headers" => requests(client(), times, async |client, url| send(client, url, &LIMITED).await),
        "no headers, retried" => retried(client(), times, async |client, url| send(client, url, &LIMITED).await),
        "propagate" => requests(client(), times, async |client, url| send(client, url, &PROPAGATED).await),
        "propagate, retried" => retried(client(), times, async |client, url| send(client, url, &PROPAGATED).await),
        "the middleware, retried" => retried(through(RequestRetry::new(POLICY)), times, get),
        _ => unreachable!("unknown row `{how}`"),
    }
}

static LIMITED: RequestRetry = RequestRetry::new(POLICY.deadline(Duration::from_secs(60)));
static PROPAGATED: RequestRetry =
    RequestRetry::new(POLICY.deadline(Duration::from_secs(60))).propagate(Propagation::new());

async fn send(client: &Client, url: &str, retry: &RequestRetry) -> Response {
    client.get(url).send_with_retry(retry).await.unwrap()
}

async fn get(client: &ClientWithMiddleware, url: &str) -> Response {
    client.get(url).send().await.unwrap()
}

#[retry(attempts = 4, start = "1ms", max_delay = "1s")]
async fn annotated(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

async fn by_hand(client: &Client, url: &str) -> Response {
    let mut delay = Duration::from_millis(1);
    for _ in 1..4 {
        match client.get(url).send().await {
            Ok(response) if response.status() != 503 => return response,
            _ => {}
        }
        tokio::time::sleep(delay).await;
        delay = delay.saturating_mul(2).min(Duration::from_secs(1));
    }
    client.get(url).send().await.unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn through(middleware: impl Middleware) -> ClientWithMiddleware {
    ClientBuilder::new(client()).with(middleware).build()
}

struct Nothing;

#[async_trait::async_trait]
impl Middleware for Nothing {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        next.run(request, extensions).await
    }
}

/// Returns the heap usage of sequential requests, without those that open the connection.
fn requests<C>(client: C, times: u64, get: impl AsyncFn(&C, &str) -> Response) -> heap::Use {
    sequential(client, "ok", times, get)
}

/// [`requests`] that fail at first.
fn retried<C>(client: C, times: u64, get: impl AsyncFn(&C, &str) -> Response) -> heap::Use {
    sequential(client, "every-second", times, get)
}

fn sequential<C>(client: C, path: &str, times: u64, get: impl AsyncFn(&C, &str) -> Response) -> heap::Use {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("{}{path}", runtime.block_on(serve()));
    let repeat = |times| {
        runtime.block_on(async {
            for _ in 0..times {
                get(&client, &url).await.bytes().await.unwrap();
            }
        });
    };
    repeat(10);
    heap::during(|| repeat(times))
}

/// Starts a server that responds with 200, and to every other request for `/every-second` with 503. Returns its URL.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let count = Cell::new(0);
            let service = service_fn(move |request: http::Request<_>| {
                count.set(count.get() + 1);
                let status = if request.uri().path() == "/every-second" && count.get() % 2 == 1 { 503 } else { 200 };
                let response = http::Response::builder().status(status).body(Full::<Bytes>::from("hello"));
                future::ready(response)
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}
