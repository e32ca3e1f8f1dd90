//! gRPC: how tonic's statuses are classified, alone and from a real server on a paused clock.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use h2::Reason;
use h2::server::SendResponse;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use prost::Message;
use retry_runtime::outcome::NoRetry;
use retry_runtime::{Class, Failure, Retryable, TimedOut, retry, verdict};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::support::server::refused;
use crate::support::{SECOND, all_ms, ms, timed};

const PUSHBACK: &str = "grpc-retry-pushback-ms";

#[derive(Message)]
struct RichStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

#[derive(Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// Details of a status: an unrelated message, and then a `RetryInfo` with this delay.
fn details(seconds: i64, nanos: i32) -> Vec<u8> {
    let detail = |name: &str, value| Detail { type_url: format!("type.googleapis.com/google.rpc.{name}"), value };
    let info = RetryInfo { retry_delay: Some(Delay { seconds, nanos }) }.encode_to_vec();
    RichStatus { code: 8, details: vec![detail("DebugInfo", vec![]), detail("RetryInfo", info)] }.encode_to_vec()
}

fn with_delay(code: Code, seconds: i64, nanos: i32) -> Status {
    Status::with_details(code, "", details(seconds, nanos).into())
}

fn with_pushback(code: Code, value: &'static str) -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert(PUSHBACK, value.parse().unwrap());
    Status::with_metadata(code, "", metadata)
}

#[test]
fn class_depends_on_the_code() {
    let classes: Vec<_> = (0..17).map(|code| Status::new(Code::from(code), "").class().as_str()).collect();
    let expected = [
        ("ok", "unknown"),
        ("cancelled", "unknown"),
        ("unknown", "unknown"),
        ("invalid argument", "permanent"),
        ("deadline exceeded", "transient"),
        ("not found", "permanent"),
        ("already exists", "permanent"),
        ("permission denied", "permanent"),
        ("resource exhausted", "unknown"),
        ("failed precondition", "permanent"),
        ("aborted", "unknown"),
        ("out of range", "permanent"),
        ("unimplemented", "permanent"),
        ("internal", "unknown"),
        ("unavailable", "transient"),
        ("data loss", "permanent"),
        ("unauthenticated", "permanent"),
    ];
    assert_eq!(classes, expected.map(|(_, class)| class));
    assert_eq!(Status::unavailable("").status(), None);
}

#[test]
fn server_delay_comes_from_pushback_or_else_from_retry_info() {
    assert_eq!(with_delay(Code::Unavailable, 3, 500_000_000).server_delay(), Some(ms(3500)));
    assert_eq!(with_pushback(Code::Unavailable, "250").server_delay(), Some(ms(250)));
    let mut both = with_delay(Code::Unavailable, 3, 0);
    both.metadata_mut().insert(PUSHBACK, "250".parse().unwrap());
    assert_eq!(both.server_delay(), Some(ms(250)));
    assert_eq!(Status::unavailable("").server_delay(), None);
    let invalid = Status::with_details(Code::Unavailable, "", vec![0xff; 9].into());
    assert_eq!((invalid.class(), invalid.server_delay()), (Class::Transient, None));
}

#[test]
fn resource_exhausted_is_transient_if_it_has_a_delay() {
    assert_eq!(with_delay(Code::ResourceExhausted, 1, 0).class(), Class::Transient);
    assert_eq!(with_pushback(Code::ResourceExhausted, "0").class(), Class::Transient);
    assert_eq!(with_pushback(Code::Aborted, "0").class(), Class::Unknown);
    assert_eq!(with_pushback(Code::NotFound, "0").class(), Class::Permanent);
}

#[test]
fn negative_or_invalid_pushback_refuses_retries() {
    for value in ["-1", "-2147483648", "soon", "", "1.5", "+-1", " 1", "99999999999"] {
        let status = with_pushback(Code::Unavailable, value);
        assert_eq!((status.no_retry(), status.server_delay()), (Some(NoRetry::Refused), None), "{value}");
        // The service is unavailable all the same, so breakers count the failure.
        assert_eq!(status.class(), Class::Transient, "{value}");
    }
    let mut both = with_delay(Code::Unavailable, 3, 0);
    both.metadata_mut().insert(PUSHBACK, "-1".parse().unwrap());
    assert_eq!((both.no_retry(), both.server_delay()), (Some(NoRetry::Refused), None));
    assert_eq!(with_pushback(Code::Unavailable, "0").no_retry(), None);
    let boxed: Box<dyn Error> = Box::new(with_pushback(Code::Aborted, "-1"));
    assert_eq!(Failure::of(&*boxed).no_retry(), Some(NoRetry::Refused));
}

#[test]
fn delays_out_of_range_are_clamped() {
    for (seconds, nanos, expected) in [
        (-1, 0, Duration::ZERO),
        (0, -1, Duration::ZERO),
        (i64::MIN, i32::MIN, Duration::ZERO),
        (i64::MAX, 999_999_999, Duration::new(i64::MAX as u64, 999_999_999)),
        (1, i32::MAX, Duration::new(3, 147_483_647)),
        (i64::MAX, i32::MAX, Duration::new(i64::MAX as u64 + 2, 147_483_647)),
    ] {
        assert_eq!(with_delay(Code::Unavailable, seconds, nanos).server_delay(), Some(expected), "{seconds} {nanos}");
    }
}

#[test]
fn source_of_a_status_decides_first() {
    let from = |error: io::Error| Status::from_error(Box::new(error));
    assert_eq!(from(io::ErrorKind::ConnectionReset.into()).class(), Class::Transient);
    assert_eq!(from(io::ErrorKind::PermissionDenied.into()).class(), Class::Permanent);
    assert!(from(io::ErrorKind::ConnectionRefused.into()).is_unprocessed());
    let timeout = Status::from_error(Box::new(tonic::TimeoutExpired(())));
    assert_eq!((timeout.code(), timeout.class()), (Code::Cancelled, Class::Transient));
    let boxed: Box<dyn Error> = Box::new(with_delay(Code::Unavailable, 3, 0));
    assert_eq!(Failure::of(&*boxed).server_delay(), Some(SECOND * 3));
}

/// Calls to a real server.
mod calls {
    use super::*;

    /// One reply.
    #[derive(Clone)]
    enum Reply {
        /// An empty message, and these trailers.
        Trailers(Vec<(&'static str, &'static str)>),
        /// Refuses the stream.
        Refused,
        /// Never replies.
        Silence,
    }

    impl Reply {
        fn status(code: &'static str) -> Self {
            Self::Trailers(vec![("grpc-status", code)])
        }

        fn send(&self, respond: &mut SendResponse<Bytes>) -> Result<(), h2::Error> {
            match self {
                Self::Trailers(trailers) => {
                    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
                    let mut stream = respond.send_response(head, false)?;
                    stream.send_data(Bytes::from_static(&[0; 5]), false)?;
                    let pairs = trailers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
                    stream.send_trailers(pairs.collect::<HeaderMap>())
                }
                Self::Refused => {
                    respond.send_reset(Reason::REFUSED_STREAM);
                    Ok(())
                }
                Self::Silence => Ok(()),
            }
        }
    }

    /// A server that sends the replies one after the other, and repeats the last one.
    struct Server {
        channel: Channel,
        calls: Arc<Mutex<Vec<Instant>>>,
    }

    impl Server {
        async fn start(replies: impl Into<Vec<Reply>>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let calls = Arc::<Mutex<Vec<_>>>::default();
            tokio::spawn(accept(listener, replies.into(), calls.clone()));
            Self { channel: Endpoint::from_shared(url).unwrap().connect_lazy(), calls }
        }

        /// The time from each call to the next.
        fn delays(&self) -> Vec<Duration> {
            self.calls.lock().unwrap().windows(2).map(|pair| pair[1] - pair[0]).collect()
        }
    }

    async fn accept(listener: TcpListener, replies: Vec<Reply>, calls: Arc<Mutex<Vec<Instant>>>) {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve(stream, replies.clone(), calls.clone()));
        }
    }

    /// Serves one connection. An error means that the client closed it.
    async fn serve(stream: TcpStream, replies: Vec<Reply>, calls: Arc<Mutex<Vec<Instant>>>) -> Result<(), h2::Error> {
        let mut connection = h2::server::handshake(stream).await?;
        // A dropped stream would be reset, which is a reply too.
        let mut unanswered = vec![];
        while let Some(request) = connection.accept().await {
            let (_, mut respond) = request?;
            let number = {
                let mut calls = calls.lock().unwrap();
                calls.push(Instant::now());
                calls.len()
            };
            replies[number.min(replies.len()) - 1].send(&mut respond)?;
            unanswered.push(respond);
        }
        Ok(())
    }

    async fn send(channel: &Channel) -> Result<(), Status> {
        let mut client = Grpc::new(channel.clone());
        client.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let path = "/service/call".parse().unwrap();
        client.unary(Request::new(()), path, ProstCodec::<(), ()>::default()).await?;
        Ok(())
    }

    #[retry(attempts = 3, backoff = "fixed", start = "1s", on_error = "transient")]
    async fn call(channel: &Channel) -> Result<(), Status> {
        send(channel).await
    }

    #[tokio::test(start_paused = true)]
    async fn unavailable_is_retried() {
        let server = Server::start([Reply::status("14"), Reply::status("14"), Reply::status("0")]).await;
        call(&server.channel).await.unwrap();
        assert_eq!(server.delays(), all_ms([1000, 1000]));
    }

    #[tokio::test(start_paused = true)]
    async fn not_found_is_not_retried() {
        let server = Server::start([Reply::status("5")]).await;
        assert_eq!(call(&server.channel).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(server.delays(), all_ms([]));
    }

    #[tokio::test(start_paused = true)]
    async fn pushback_delays_or_ends_the_call() {
        let pushback = |value| Reply::Trailers(vec![("grpc-status", "14"), (PUSHBACK, value)]);
        let server = Server::start([pushback("7000"), pushback("-1")]).await;
        assert_eq!(call(&server.channel).await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(server.delays(), all_ms([7000]));
    }

    #[tokio::test(start_paused = true)]
    async fn pushback_delays_the_next_attempt_whatever_retry_info_says() {
        const DETAILS: &str = "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIICQ";
        let busy = [("grpc-status", "8"), ("grpc-status-details-bin", DETAILS), (PUSHBACK, "4000")];
        let server = Server::start([Reply::Trailers(busy.into()), Reply::status("0")]).await;
        call(&server.channel).await.unwrap();
        assert_eq!(server.delays(), all_ms([4000]));
    }

    #[tokio::test(start_paused = true)]
    async fn shorter_pushback_is_a_lower_bound_or_replaces_the_delay() {
        #[retry(attempts = 2, backoff = "fixed", start = "1s", within_retry_after = "replace")]
        async fn replacing(channel: &Channel) -> Result<(), Status> {
            send(channel).await
        }
        let soon = Reply::Trailers(vec![("grpc-status", "14"), (PUSHBACK, "250")]);
        let server = Server::start([soon.clone(), Reply::status("0")]).await;
        call(&server.channel).await.unwrap();
        assert_eq!(server.delays(), all_ms([1000]));
        let server = Server::start([soon, Reply::status("0")]).await;
        replacing(&server.channel).await.unwrap();
        assert_eq!(server.delays(), all_ms([250]));
    }

    /// The details hold a `RetryInfo` of 9 s.
    #[tokio::test(start_paused = true)]
    async fn retry_info_delays_the_next_attempt() {
        const DETAILS: &str = "CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIICQ";
        let busy = Reply::Trailers(vec![("grpc-status", "8"), ("grpc-status-details-bin", DETAILS)]);
        let server = Server::start([busy, Reply::status("0")]).await;
        call(&server.channel).await.unwrap();
        assert_eq!(server.delays(), all_ms([9000]));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_hangs_is_cut_off() {
        #[retry(attempts = 2, backoff = "fixed", start = "1s", attempt_timeout = "5s")]
        async fn limited(channel: &Channel) -> Result<(), Status> {
            send(channel).await
        }
        let server = Server::start([Reply::Silence]).await;
        let (outcome, took) = timed(limited(&server.channel)).await;
        let status = outcome.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "the attempt took longer than 5s"));
        assert!(status.source().unwrap().is::<TimedOut>());
        assert_eq!((server.delays(), took), (all_ms([6000]), SECOND * 11));
    }

    #[tokio::test(start_paused = true)]
    async fn refused_stream_is_unprocessed() {
        let server = Server::start([Reply::Refused, Reply::status("0")]).await;
        let status = send(&server.channel).await.unwrap_err();
        assert_eq!((status.class(), status.is_unprocessed()), (Class::Transient, true), "{status:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn refused_connection_is_transient_and_unprocessed() {
        let endpoint = Endpoint::from_shared(refused().await).unwrap();
        let status = send(&endpoint.connect_lazy()).await.unwrap_err();
        assert_eq!((status.code(), status.class()), (Code::Unavailable, Class::Transient));
        assert!(status.is_unprocessed());
        // tonic's own error is classified by its sources.
        let failure = verdict!(&endpoint.connect().await).failure().unwrap();
        assert_eq!((failure.class(), failure.is_unprocessed()), (Class::Transient, true));
    }
}
