//! The layer in a server of tonic, over a real connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, stream};
use http::uri::PathAndQuery;
use retry_runtime::server::{Caller, CallerLayer};
use retry_runtime::{Deadline, TimedOut, retry};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{NamedService, ServerStreamingService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::support::{Attempts, SECOND, ms};

/// A service with three methods, whose messages are strings.
#[derive(Clone, Default)]
struct Texts {
    attempts: Arc<Attempts>,
}

impl NamedService for Texts {
    const NAME: &'static str = "texts";
}

#[retry(attempts = 1000, backoff = "fixed", start = "10ms")]
async fn fails(attempts: &Attempts) -> Result<(), Status> {
    attempts.start();
    Err(Status::unavailable("no"))
}

#[retry(attempts = 2, start = "1ms")]
async fn exhausted() -> Result<String, Status> {
    Err(Status::unavailable("no"))
}

#[derive(Clone)]
struct Unary(Texts);

impl UnaryService<String> for Unary {
    type Response = String;
    type Future = BoxFuture<Response<String>, Status>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let attempts = self.0.attempts.clone();
        Box::pin(async move {
            let caller = request.extensions().get::<Caller>().copied();
            match request.get_ref().as_str() {
                "caller" => {
                    let caller = caller.unwrap();
                    let left = caller.time_left().map(|left| left > SECOND * 4 && left <= SECOND * 5);
                    let same = Deadline::current().is_some() == left.is_some();
                    Ok(Response::new(format!("{left:?} {:?} {same}", caller.attempt())))
                }
                "exhausted" => exhausted().await.map(Response::new),
                // In a task, because tonic itself drops a handler whose caller has left.
                _ => {
                    let deadline = Deadline::current().unwrap();
                    let task = tokio::spawn(deadline.scope(async move { fails(&attempts).await }));
                    task.await.unwrap().map(|()| Response::new(String::new()))
                }
            }
        })
    }
}

/// A stream whose third message takes for ever.
struct Stalling;

impl ServerStreamingService<String> for Stalling {
    type Response = String;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        #[retry(attempts = 2, deadline = "1m")]
        async fn message(number: u32) -> Result<String, TimedOut> {
            if number < 3 { Ok(number.to_string()) } else { std::future::pending().await }
        }
        let fails = request.into_inner() == "exhausted";
        Box::pin(async move {
            let messages = stream::unfold(1, move |number| async move {
                let message = match fails && number > 1 {
                    true => exhausted().await,
                    false => message(number).await.map_err(Status::from),
                };
                Some((message, number + 1))
            });
            Ok(Response::new(Box::pin(messages) as Self::ResponseStream))
        })
    }
}

impl Service<http::Request<Body>> for Texts {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let texts = self.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<String, String>::default());
            Ok(match request.uri().path() {
                "/texts/stream" => grpc.server_streaming(Stalling, request).await,
                _ => grpc.unary(Unary(texts), request).await,
            })
        })
    }
}

/// Starts a server with the layer. Returns a client, and the attempts that the service makes.
async fn start() -> (Grpc<Channel>, Arc<Attempts>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let texts = Texts::default();
    let attempts = texts.attempts.clone();
    let server = Server::builder().layer(CallerLayer::new().trust_callers()).add_service(texts);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let channel = Endpoint::new(url).unwrap().connect().await.unwrap();
    (Grpc::new(channel), attempts)
}

fn request(text: &str, timeout: Option<Duration>) -> Request<String> {
    let mut request = Request::new(text.to_owned());
    timeout.inspect(|timeout| request.set_timeout(*timeout));
    request
}

async fn unary(client: &mut Grpc<Channel>, request: Request<String>) -> Result<String, Status> {
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/texts/unary");
    client.unary(request, path, ProstCodec::<String, String>::default()).await.map(Response::into_inner)
}

#[tokio::test]
async fn handler_learns_about_its_caller() {
    let (mut client, _) = start().await;
    let mut with_attempt = request("caller", Some(SECOND * 5));
    with_attempt.metadata_mut().insert("grpc-previous-rpc-attempts", "1".parse().unwrap());
    assert_eq!(unary(&mut client, with_attempt).await.unwrap(), "Some(true) Some(2) true");
    // The same connection.
    assert_eq!(unary(&mut client, request("caller", None)).await.unwrap(), "None None true");
}

#[tokio::test]
async fn calls_of_a_handler_end_with_its_caller() {
    let (mut client, attempts) = start().await;
    let start = Instant::now();
    let error = unary(&mut client, request("fails", Some(ms(200)))).await.unwrap_err();
    assert!(start.elapsed() < SECOND * 5);
    // The client and the handler read the same deadline from two clocks, and either may be first.
    tokio::time::sleep(ms(200)).await;
    let made = attempts.count();
    assert!(made >= 2, "{made}");
    tokio::time::sleep(ms(200)).await;
    assert_eq!(attempts.count(), made, "{error}");
}

#[tokio::test]
async fn failure_whose_retries_are_exhausted_is_marked() {
    let (mut client, _) = start().await;
    let error = unary(&mut client, request("exhausted", None)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "no"));
    assert_eq!(error.metadata().get("x-retries-exhausted").unwrap(), "1");
}

/// The messages of a stream, and the error at its end.
async fn messages(request: Request<String>) -> (Vec<String>, Status) {
    let (mut client, _) = start().await;
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/texts/stream");
    let response = client.server_streaming(request, path, ProstCodec::<String, String>::default()).await.unwrap();
    let (mut stream, mut messages) = (response.into_inner(), Vec::new());
    loop {
        match stream.message().await {
            Ok(message) => messages.push(message.unwrap()),
            Err(status) => return (messages, status),
        }
    }
}

#[tokio::test]
async fn stream_ends_with_its_caller() {
    let start = Instant::now();
    let (messages, status) = messages(request("stalls", Some(ms(200)))).await;
    let took = start.elapsed();
    assert_eq!(messages, ["1", "2"]);
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().starts_with("the caller's deadline of"), "{}", status.message());
    assert!(took >= ms(199) && took < SECOND * 5, "{took:?}");
}

#[tokio::test]
async fn failure_at_the_end_of_a_stream_is_marked_in_its_trailers() {
    let (messages, status) = messages(request("exhausted", None)).await;
    assert_eq!((messages, status.code()), (vec!["1".to_owned()], Code::Unavailable));
    assert_eq!(status.metadata().get("x-retries-exhausted").unwrap(), "1");
}
