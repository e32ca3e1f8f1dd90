//! The server layer around a service that is a function.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body as _, Frame};
use retry_runtime::propagation::Propagation;
use retry_runtime::server::{Caller, CallerLayer};
use retry_runtime::{Deadline, Nested, Policy, TimedOut, retry};
use tokio::time::sleep;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Attempts, SECOND, ms, timed};

const TIME_LEFT: &str = "x-envoy-expected-rq-timeout-ms";
const ATTEMPT: &str = "x-envoy-attempt-count";
const TRUSTING: CallerLayer = CallerLayer::new().trust_callers();

/// A request with these headers.
fn request<const N: usize>(headers: [(&str, &str); N]) -> Request<Body> {
    let request = headers.into_iter().fold(Request::builder(), |request, (name, value)| request.header(name, value));
    request.body(Body::empty()).unwrap()
}

/// The time left and the number of the attempt, as a handler behind the layer sees them. Context and extension agree.
async fn seen(layer: CallerLayer, request: Request<Body>) -> (Option<Duration>, Option<u32>) {
    let found = Arc::new(Mutex::new(None));
    let inside = found.clone();
    let service = service_fn(move |request: Request<Body>| {
        let left = Deadline::current().map(|deadline| deadline.remaining());
        let caller = *request.extensions().get::<Caller>().unwrap();
        assert_eq!(left, caller.time_left());
        assert_eq!(left, caller.deadline().map(|deadline| deadline.remaining()));
        *inside.lock().unwrap() = Some((left, caller.attempt()));
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    });
    layer.layer(service).oneshot(request).await.unwrap();
    found.lock().unwrap().take().unwrap()
}

#[tokio::test(start_paused = true)]
async fn headers_are_read_only_from_trusted_callers() {
    let headers = [(TIME_LEFT, "1500"), (ATTEMPT, "3")];
    assert_eq!(seen(CallerLayer::new(), request(headers)).await, (None, None));
    assert_eq!(seen(TRUSTING, request(headers)).await, (Some(ms(1500)), Some(3)));
    assert_eq!(seen(TRUSTING, request([])).await, (None, None));
}

#[tokio::test(start_paused = true)]
async fn earliest_of_header_maximum_and_outer_deadline_applies() {
    let headers = || request([(TIME_LEFT, "1500")]);
    for (at_most, expected) in [(SECOND, SECOND), (SECOND * 2, ms(1500))] {
        assert_eq!(seen(TRUSTING.at_most(at_most), headers()).await.0, Some(expected));
        assert_eq!(seen(TRUSTING.at_most(at_most), request([])).await.0, Some(at_most));
        assert_eq!(seen(CallerLayer::new().at_most(at_most), headers()).await.0, Some(at_most));
    }
    let around = |time| Deadline::after(time).scope(seen(TRUSTING, headers()));
    assert_eq!(around(ms(700)).await.0, Some(ms(700)));
    assert_eq!(around(SECOND * 9).await.0, Some(ms(1500)));
    let around = Deadline::after(ms(700)).scope(seen(CallerLayer::new(), headers()));
    assert_eq!(around.await.0, Some(ms(700)));
}

#[tokio::test(start_paused = true)]
async fn names_of_headers_can_be_changed() {
    const OWN: CallerLayer =
        TRUSTING.propagation(Propagation::new().time_left_header("x-left-ms").attempt_header("x-try"));
    let headers = [("x-left-ms", "800"), ("x-try", "2"), (TIME_LEFT, "100"), (ATTEMPT, "9")];
    assert_eq!(seen(OWN, request(headers)).await, (Some(ms(800)), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn requests_of_grpc_have_headers_of_grpc() {
    let headers = [
        ("content-type", "application/grpc+proto"),
        ("grpc-timeout", "250m"),
        ("grpc-previous-rpc-attempts", "1"),
        (TIME_LEFT, "100"),
        (ATTEMPT, "9"),
    ];
    assert_eq!(seen(TRUSTING, request(headers)).await, (Some(ms(250)), Some(2)));
    // The same without the content type.
    let (_, rest) = headers.split_first().unwrap();
    let headers: [_; 4] = rest.try_into().unwrap();
    assert_eq!(seen(TRUSTING, request(headers)).await, (Some(ms(100)), Some(9)));
}

#[tokio::test(start_paused = true)]
async fn hostile_headers_set_no_deadline() {
    let long = "9".repeat(10_000);
    let values = [
        "",
        " ",
        "0",
        "00",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "1,2",
        "1 2",
        "1ms",
        "ms",
        "NaN",
        "inf",
        "null",
        "١٢",
        "18446744073709551616",
        "99999999999999999999999999",
        &long,
        "\t",
        "1\u{a0}",
        "\u{1f600}",
    ];
    for value in values {
        for name in [TIME_LEFT, ATTEMPT] {
            let mut hostile = request([]);
            hostile.headers_mut().insert(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
            assert_eq!(seen(TRUSTING, hostile).await, (None, None), "{name}: {value}");
        }
    }
    for value in ["5", "m", "5x", "0m", "123456789m", "-5m", "5 m", "5mm", "5M5", "٥m", ""] {
        let hostile = request([("content-type", "application/grpc"), ("grpc-timeout", value)]);
        assert_eq!(seen(TRUSTING, hostile).await, (None, None), "{value}");
    }
    let mut invalid_utf8 = request([]);
    invalid_utf8.headers_mut().insert(TIME_LEFT, http::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    assert_eq!(seen(TRUSTING, invalid_utf8).await, (None, None));
}

#[tokio::test(start_paused = true)]
async fn largest_times_do_not_overflow() {
    for (headers, at_least) in [
        ([(TIME_LEFT, "9223372036854775807"), ("a", "b")], SECOND * 1_000_000),
        ([("grpc-timeout", "99999999H"), ("content-type", "application/grpc")], SECOND * 1_000_000),
    ] {
        let (left, _) = seen(TRUSTING, request(headers)).await;
        assert!(left.is_none_or(|left| left > at_least), "{headers:?}: {left:?}");
    }
    assert_eq!(seen(TRUSTING.at_most(Duration::MAX), request([])).await.0, Some(Duration::MAX));
}

#[tokio::test(start_paused = true)]
async fn shortest_of_repeated_headers_applies() {
    for values in [["900", "300"], ["300", "900"], ["x", "300"], ["300", "x"]] {
        let mut repeated = request([]);
        for value in values {
            repeated.headers_mut().append(TIME_LEFT, value.parse().unwrap());
        }
        assert_eq!(seen(TRUSTING, repeated).await.0, Some(ms(300)), "{values:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_counts_from_when_the_request_reaches_the_layer() {
    let service = service_fn(async |_: Request<Body>| {
        let left = || Deadline::current().map(|deadline| deadline.remaining());
        sleep(ms(400)).await;
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(format!("{:?}", left()))))
    });
    let response = TRUSTING.layer(service).oneshot(request([(TIME_LEFT, "1000")])).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "Some(600ms)");
}

/// The context is that of the request in the call, in each poll, and in each frame of the body, and of nothing in between.
#[tokio::test(start_paused = true)]
async fn deadline_is_set_in_call_poll_and_frames_only() {
    let has_deadline = || Deadline::current().is_some();
    let log = Arc::new(Mutex::new(Vec::new()));
    let in_service = log.clone();
    let service = service_fn(move |_: Request<Body>| {
        let log = in_service.clone();
        log.lock().unwrap().push(("call", has_deadline()));
        async move {
            log.lock().unwrap().push(("poll", has_deadline()));
            tokio::task::yield_now().await;
            log.lock().unwrap().push(("poll", has_deadline()));
            let frames = futures_util::stream::iter(0..2).map(move |_| {
                log.lock().unwrap().push(("frame", has_deadline()));
                Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")))
            });
            Ok::<_, Infallible>(Response::new(StreamBody::new(frames)))
        }
    });
    use futures_util::StreamExt;
    let mut future = pin!(TRUSTING.layer(service).oneshot(request([(TIME_LEFT, "1000")])));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(!has_deadline());
    let response = future.await.unwrap();
    assert!(!has_deadline());
    let mut body = pin!(response.into_body());
    while poll_fn(|cx| body.as_mut().poll_frame(cx)).await.is_some() {
        assert!(!has_deadline());
    }
    let log = log.lock().unwrap();
    assert_eq!(*log, ["call", "poll", "poll", "frame", "frame"].map(|place| (place, true)));
}

#[tokio::test(start_paused = true)]
async fn body_has_the_size_of_the_one_inside() {
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("four"))));
    let body = TRUSTING.layer(service).oneshot(request([])).await.unwrap().into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(4), false));
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
    assert!(TRUSTING.layer(service).oneshot(request([])).await.unwrap().into_body().is_end_stream());
}

#[retry(attempts = 9, backoff = "fixed", start = "1s")]
async fn failing(attempts: &Attempts) -> Result<(), &'static str> {
    attempts.start();
    Err("no")
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_handler_end_with_its_caller() {
    let attempts = Arc::new(Attempts::new());
    let inside = attempts.clone();
    let service = service_fn(move |_: Request<Body>| {
        let attempts = inside.clone();
        async move {
            let _ = failing(&attempts).await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    let (_, took) =
        timed(async { TRUSTING.layer(service).oneshot(request([(TIME_LEFT, "2500")])).await.is_ok() }).await;
    assert_eq!((attempts.count(), took), (3, SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_streaming_body_end_with_its_caller() {
    #[retry(attempts = 2, deadline = "9s")]
    async fn chunk(number: u32) -> Result<Bytes, TimedOut> {
        if number < 3 {
            sleep(SECOND).await
        } else {
            pending().await
        }
        Ok(Bytes::from_static(b"x"))
    }
    let service = service_fn(async |_: Request<Body>| {
        let chunks = futures_util::stream::unfold(1, async |number| Some((chunk(number).await, number + 1)));
        Ok::<_, Infallible>(Response::new(Body::from_stream(chunks)))
    });
    let response = TRUSTING.layer(service).oneshot(request([(TIME_LEFT, "2500")])).await.unwrap();
    let (error, took) = timed(async { response.into_body().collect().await.unwrap_err() }).await;
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the caller's deadline of 2.5s passed while the attempt ran");
    assert_eq!(took, ms(2500));
}

/// The response of a handler that makes a call with this policy, which fails, and answers with this status.
async fn marked(layer: CallerLayer, policy: Policy, status: StatusCode) -> Option<String> {
    let service = service_fn(move |_: Request<Body>| async move {
        policy.run(async |_| Err::<(), _>("no")).when(|_| true).await.unwrap_err();
        // The flag is kept from poll to poll.
        sleep(ms(1)).await;
        Ok::<_, Infallible>(Response::builder().status(status).body(Body::empty()).unwrap())
    });
    let response = layer.layer(service).oneshot(request([])).await.unwrap();
    let mark = |(name, value): (&http::HeaderName, &http::HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    response.headers().iter().next().map(mark)
}

const TWICE: Policy = Policy::fixed(Duration::from_millis(1)).attempts(2);

#[tokio::test(start_paused = true)]
async fn failure_whose_retries_are_exhausted_is_marked() {
    for (status, is_marked) in
        [(500, true), (502, true), (503, true), (429, true), (404, false), (409, false), (200, false)]
    {
        let mark = marked(CallerLayer::new(), TWICE, StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(mark.as_deref(), is_marked.then_some("x-retries-exhausted: 1"), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn failure_without_retries_is_not_marked() {
    let once = TWICE.attempts(1);
    assert_eq!(marked(CallerLayer::new(), once, StatusCode::BAD_GATEWAY).await, None);
}

#[tokio::test(start_paused = true)]
async fn name_of_the_mark_can_be_changed() {
    let layer = CallerLayer::new().propagation(Propagation::new().exhausted_header("x-final"));
    assert_eq!(marked(layer, TWICE, StatusCode::BAD_GATEWAY).await.as_deref(), Some("x-final: 1"));
}

#[tokio::test(start_paused = true)]
async fn mark_belongs_to_its_request() {
    let service = service_fn(async |request: Request<Body>| {
        if request.uri().path() == "/retries" {
            failing(&Attempts::new()).await.unwrap_err();
        }
        sleep(SECOND * 20).await;
        Ok::<_, Infallible>(Response::builder().status(503).body(Body::empty()).unwrap())
    });
    let service = CallerLayer::new().layer(service);
    let send = |path: &'static str| service.clone().oneshot(Request::builder().uri(path).body(Body::empty()).unwrap());
    // In one task, polled in turns.
    let (marked, plain) = tokio::join!(send("/retries"), send("/other"));
    assert!(marked.unwrap().headers().contains_key("x-retries-exhausted"));
    assert!(!plain.unwrap().headers().contains_key("x-retries-exhausted"));
}

/// A call of a layer inside a process is a call around: its flag is not changed by the calls of the handler.
#[tokio::test(start_paused = true)]
async fn calls_of_a_handler_do_not_count_as_calls_of_its_client() {
    let attempts = Attempts::new();
    let service = service_fn(async |_: Request<Body>| {
        failing(&Attempts::new()).await.unwrap_err();
        Ok::<_, Infallible>(Response::builder().status(503).body(Body::empty()).unwrap())
    });
    let service = CallerLayer::new().layer(service);
    let policy = TWICE.nested(Nested::Once);
    let call = policy.run(async |_| {
        attempts.start();
        let response = service.clone().oneshot(request([])).await.unwrap();
        if response.status() == 503 { Err("no") } else { Ok(()) }
    });
    call.when(|_| true).await.unwrap_err();
    assert_eq!(attempts.count(), 2);
}

/// The headers and the trailers of a response of gRPC with these.
async fn grpc(headers: HeaderMap, trailers: HeaderMap) -> (HeaderMap, HeaderMap) {
    let service = service_fn(move |_: Request<Body>| {
        let (headers, trailers) = (headers.clone(), trailers.clone());
        async move {
            failing(&Attempts::new()).await.unwrap_err();
            let body = Full::new(Bytes::from_static(b"x")).with_trailers(async { Some(Ok::<_, Infallible>(trailers)) });
            let mut response = Response::new(body);
            *response.headers_mut() = headers;
            Ok::<_, Infallible>(response)
        }
    });
    let response = CallerLayer::new().layer(service).oneshot(request([])).await.unwrap();
    let headers = response.headers().clone();
    (headers, response.into_body().collect().await.unwrap().trailers().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn failures_of_grpc_are_marked_in_headers_and_trailers() {
    let status = |code: &'static str| HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())]);
    let marked = |(headers, trailers): (HeaderMap, HeaderMap)| {
        [headers, trailers].map(|headers| headers.contains_key("x-retries-exhausted"))
    };
    assert_eq!(marked(grpc(status("14"), HeaderMap::new()).await), [true, false]);
    assert_eq!(marked(grpc(HeaderMap::new(), status("14")).await), [false, true]);
    assert_eq!(marked(grpc(HeaderMap::new(), status("0")).await), [false, false]);
    assert_eq!(marked(grpc(status("0"), HeaderMap::new()).await), [false, false]);
}

#[tokio::test]
async fn error_of_the_service_is_returned_as_it_is() {
    let service = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(io::Error::other("down")));
    assert_eq!(TRUSTING.layer(service).oneshot(request([])).await.unwrap_err().to_string(), "down");
}
