//! Draining: the body of a retried response is read during the pause, so that its connection can be reused.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::{Client, Response};
use reqwest_middleware::ClientBuilder;
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::{Policy, retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::fetch;
use crate::support::server::{Reply, Server, client};
use crate::support::{all_ms, ms};

#[tokio::test(start_paused = true)]
async fn connection_is_reused_after_a_slow_body() {
    let slow = Reply::status(503).pieces(10, ms(50));
    let server = Server::start([slow.clone(), slow, Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!((server.connections(), server.delays()), (1, all_ms([1000, 2000])));
}

#[tokio::test(start_paused = true)]
async fn endless_body_is_dropped_at_the_end_of_the_delay() {
    let endless = Reply::status(503).pieces(1_000_000, ms(100));
    let server = Server::start([endless, Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!((server.connections(), server.delays()), (2, all_ms([1000])));
}

#[tokio::test(start_paused = true)]
async fn long_body_is_dropped_with_its_connection() {
    let long = Reply::status(503).pieces(100, ms(1));
    let server = Server::start([long, Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!((server.connections(), server.delays()), (2, all_ms([1000])));
}

/// The body is always ready, so only the drain limit can end it.
#[tokio::test(start_paused = true)]
async fn empty_frames_count_toward_the_drain_limit() {
    struct Empty(Arc<AtomicU32>);
    impl http_body::Body for Empty {
        type Data = bytes::Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Infallible>>> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            Poll::Ready((number < 1_000_000).then(|| Ok(http_body::Frame::data(bytes::Bytes::new()))))
        }
    }
    #[retry(attempts = 2, drain_limit = 100)]
    async fn fetch(frames: &Arc<AtomicU32>) -> http::Response<Empty> {
        http::Response::builder().status(503).body(Empty(frames.clone())).unwrap()
    }
    let frames = Arc::default();
    fetch(&frames).await;
    assert_eq!(frames.load(Ordering::Relaxed), 101);
}

/// The length is not known before the end, so the body has to be read to its end.
#[tokio::test(start_paused = true)]
async fn connection_is_reused_after_a_slow_body_of_unknown_length() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let replies: [&[&str]; 2] = [
            &["HTTP/1.1 503 -\r\ntransfer-encoding: chunked\r\n\r\n", "5\r\nhello\r\n", "0\r\n", "\r\n"],
            &["HTTP/1.1 200 -\r\ncontent-length: 0\r\n\r\n"],
        ];
        for reply in replies {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            for part in reply {
                sleep(ms(50)).await;
                stream.write_all(part.as_bytes()).await.unwrap();
            }
        }
    });
    // The server accepts one connection, so a second one would never get a response.
    let response = timeout(ms(60_000), fetch(&client(), &url)).await.unwrap();
    assert_eq!(response.unwrap().status(), 200);
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_and_the_middleware_drain_too() {
    const POLICY: Policy = Policy::fixed(ms(1000));
    let slow = || Server::start([Reply::status(503).pieces(2, ms(50)), Reply::status(200)]);
    let server = slow().await;
    client().get(&server.url).send_with_retry(&POLICY).await.unwrap();
    assert_eq!((server.requests(), server.connections()), (2, 1));
    let server = slow().await;
    let retrying = ClientBuilder::new(client()).with(RequestRetry::new(POLICY)).build();
    retrying.get(&server.url).send().await.unwrap();
    assert_eq!((server.requests(), server.connections()), (2, 1));
    let client = client();
    let server = slow().await;
    POLICY.run(|_| client.get(&server.url).send()).await.unwrap();
    assert_eq!((server.requests(), server.connections()), (2, 1));
}

#[test]
fn blocking_pause_does_not_hold_the_response() {
    thread_local!(static HELD: Cell<u32> = const { Cell::new(0) });
    struct Held;
    impl http_body::Body for Held {
        type Data = bytes::Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
    impl Drop for Held {
        fn drop(&mut self) {
            HELD.set(HELD.get() - 1);
        }
    }
    fn sleep(_: Duration) {
        assert_eq!(HELD.get(), 0);
    }
    #[retry(blocking, attempts = 2, start = "1s", sleep = sleep)]
    fn fetch() -> http::Response<Held> {
        HELD.set(HELD.get() + 1);
        http::Response::builder().status(503).body(Held).unwrap()
    }
    assert_eq!(fetch().status(), 503);
}

#[tokio::test(start_paused = true)]
async fn last_response_is_not_drained() {
    let server = Server::start([Reply::status(503).pieces(3, ms(50))]).await;
    let response = fetch(&client(), &server.url).await.unwrap();
    assert_eq!(response.bytes().await.unwrap().len(), 3000);
}

#[tokio::test(start_paused = true)]
async fn response_in_an_option_is_drained() {
    #[retry(start = "1s")]
    async fn fetch(client: &Client, url: &str) -> Option<Response> {
        client.get(url).send().await.ok()
    }
    let server = Server::start([Reply::status(503).pieces(10, ms(50)), Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!((server.connections(), server.delays()), (1, all_ms([1000])));
}
