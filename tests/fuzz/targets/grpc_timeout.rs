//! The time left and the number of an attempt, from one service to the next, and the pushback of gRPC servers.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response};
use retry_fuzz::Input;
use retry_runtime::outcome::NoRetry;
use retry_runtime::policy::PolicyBuilder;
use retry_runtime::propagation::Propagation;
use retry_runtime::server::{Caller, CallerLayer};
use retry_runtime::{Attempt, Failure};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tower_layer::Layer;
use tower_service::Service;

retry_fuzz::target!(grpc_timeout);

const HTTP: [&str; 2] = ["x-envoy-expected-rq-timeout-ms", "x-envoy-attempt-count"];
const GRPC: [&str; 2] = ["grpc-timeout", "grpc-previous-rpc-attempts"];

fn grpc_timeout(bytes: &[u8]) {
    // A paused clock: no time passes between writing and reading.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _context = runtime.enter();
    let input = &mut Input::new(bytes);
    headers_are_read_as_specified(input);
    written_headers_are_read(input);
    pushback(input);
}

/// A header of this name, with a plausible or any value.
fn value(input: &mut Input<'_>) -> Vec<u8> {
    match input.up_to(3) {
        0 => format!("{}{}", input.any::<u32>() % 100_000_000, input.one_of(&["m", "n", "u", "S", "M", "H", "", "s"]))
            .into(),
        1 => input.any::<u64>().to_string().into(),
        2 => format!("{}{}", input.one_of(&["0", "00", "-", "+", " ", "9999999"]), input.any::<u8>()).into(),
        _ => input.bytes(24).to_vec(),
    }
}

fn append(headers: &mut HeaderMap, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.append(name, value);
    }
}

/// A layer reads the headers as specified, and its maximum and a deadline around only shorten the time.
fn headers_are_read_as_specified(input: &mut Input<'_>) {
    let mut request = Request::new(());
    let is_grpc = input.any::<bool>();
    if is_grpc && input.any() {
        append(
            request.headers_mut(),
            "content-type",
            input.one_of(&["application/grpc", "Application/gRPC+proto"]).as_bytes(),
        );
    }
    let by_content = request.headers().contains_key("content-type");
    for name in HTTP.into_iter().chain(GRPC) {
        for _ in 0..input.up_to(2) {
            append(request.headers_mut(), name, &value(input));
        }
    }
    let propagation = if is_grpc && !by_content { Propagation::grpc() } else { Propagation::new() };
    let at_most = input.any::<bool>().then(|| input.duration());
    let mut layer = CallerLayer::new().propagation(propagation).trust_callers();
    layer = at_most.map_or(layer, |most| layer.at_most(most));

    let names = if is_grpc { GRPC } else { HTTP };
    let all = |name| request.headers().get_all(name).iter().map(|value: &HeaderValue| value.as_bytes());
    let time = all(names[0]).filter_map(|value| if is_grpc { grpc(value) } else { millis(value) }).min();
    let number = all(names[1]).find_map(|value| {
        let number = u32::try_from(decimal(value)?).ok()?;
        if is_grpc { number.checked_add(1) } else { Some(number).filter(|number| *number > 0) }
    });
    let caller = received(layer, request.clone());
    let expected = time.into_iter().chain(at_most).min();
    is_time_left(caller, expected);
    assert_eq!(caller.attempt(), number, "{request:?}");
    // A layer that does not trust its callers reads nothing.
    let untrusting = received(CallerLayer::new().propagation(propagation), request);
    assert!(untrusting.time_left().is_none() && untrusting.attempt().is_none());
}

/// A time that the clock cannot represent is as good as none.
#[track_caller]
fn is_time_left(caller: Caller, expected: Option<Duration>) {
    match (caller.time_left(), expected) {
        (None, Some(expected)) => assert!(expected > Duration::from_secs(1 << 40), "{expected:?} is ignored"),
        (left, Some(expected)) if left != Some(expected) => {
            assert!(
                expected > Duration::from_secs(1 << 30) && left <= Some(expected),
                "{left:?}, but expected {expected:?}"
            );
        }
        (left, expected) => assert_eq!(left, expected),
    }
}

fn received(layer: CallerLayer, request: Request<()>) -> Caller {
    let mut service = layer.layer(Handler(None));
    drop(service.call(request));
    seen(&mut service)
}

/// Keeps the caller of the last request in a thread-local, because the layer hides the service inside.
struct Handler(Option<Caller>);

thread_local!(static SEEN: std::cell::Cell<Option<Caller>> = const { std::cell::Cell::new(None) });

fn seen<S>(_: &mut S) -> Caller {
    SEEN.take().expect("the handler was called")
}

impl Service<Request<()>> for Handler {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.0 = request.extensions().get::<Caller>().copied();
        SEEN.set(self.0);
        ready(Ok(Response::new(())))
    }
}

fn decimal(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

fn millis(value: &[u8]) -> Option<Duration> {
    decimal(value).filter(|ms| *ms > 0).map(Duration::from_millis)
}

/// `TimeoutValue TimeoutUnit` of gRPC over HTTP/2: at most 8 digits.
fn grpc(value: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?;
    let number = text.get(..text.len().checked_sub(1)?).filter(|digits| digits.len() <= 8)?;
    let number = decimal(number.as_bytes()).filter(|number| *number > 0)?;
    Some(match text.as_bytes()[text.len() - 1] {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The next service reads the time that this one has written, rounded down. A shorter time in the request stays.
fn written_headers_are_read(input: &mut Input<'_>) {
    let (deadline, previous) = (input.duration().max(Duration::from_nanos(1)), input.up_to(3) as u32);
    let is_grpc = input.any::<bool>();
    let propagation = if is_grpc { Propagation::grpc() } else { Propagation::new() };
    let mut headers = HeaderMap::new();
    let names = if is_grpc { GRPC } else { HTTP };
    let present = value(input);
    if input.any() {
        append(&mut headers, names[0], &present);
    }
    let before =
        headers.get(names[0]).and_then(|value| if is_grpc { grpc(value.as_bytes()) } else { millis(value.as_bytes()) });
    let attempt = attempt(deadline, previous);
    propagation.decorate(&mut headers, &attempt);

    let left = attempt.time_left();
    let mut request = Request::new(());
    *request.headers_mut() = headers.clone();
    let caller = received(CallerLayer::new().propagation(propagation).trust_callers(), request);
    assert_eq!(caller.attempt(), if is_grpc && previous == 0 { None } else { Some(previous + 1) }, "{headers:?}");
    let read =
        headers.get(names[0]).map(|value| if is_grpc { grpc(value.as_bytes()) } else { millis(value.as_bytes()) });
    let Some(left) = left else {
        assert_eq!(read.flatten(), before);
        return;
    };
    let read = read.flatten().expect("a time limit is written");
    let shortest = before.map_or(left, |before| before.min(left));
    // At least one unit, because nothing and zero mean no limit.
    let unit = if is_grpc { Duration::from_nanos(1) } else { Duration::from_millis(1) };
    assert!(read <= shortest.max(unit), "{left:?} was left, {before:?} present, {headers:?} written");
    // `grpc-timeout` has 8 digits. Where a unit is too fine, the next one is a thousand times as long, so five digits remain.
    let lost = if is_grpc { (shortest / 99_999).max(unit) } else { unit };
    let most = if is_grpc { Duration::from_secs(99_999_999 * 3600) } else { Duration::from_millis(u64::MAX) };
    assert!(read.saturating_add(lost) >= shortest.min(most), "{shortest:?} was written as {headers:?}");
}

/// An attempt of a call with this deadline, after so many others.
fn attempt(deadline: Duration, previous: u32) -> Attempt {
    let policy = PolicyBuilder::fixed(Duration::ZERO).attempts(previous + 1).deadline(deadline).clamp();
    let mut last = None;
    let operation = |attempt: Attempt| {
        last = Some(attempt);
        None::<()>
    };
    let _ = policy.run(operation).blocking().call_with(|_| ());
    last.expect("the call makes an attempt")
}

/// `grpc-retry-pushback-ms`: milliseconds to wait or, if it is negative or not a number, no retry.
fn pushback(input: &mut Input<'_>) {
    let code = Code::from_i32(input.up_to(17) as i32);
    let mut headers = HeaderMap::new();
    let pushback = match input.up_to(2) {
        0 => input.any::<i32>().to_string().into_bytes(),
        1 => input.any::<i64>().to_string().into_bytes(),
        _ => input.bytes(16).to_vec(),
    };
    append(&mut headers, "grpc-retry-pushback-ms", &pushback);
    if input.any() {
        append(&mut headers, "x-retries-exhausted", input.one_of(&["1", "0", "true"]).as_bytes());
    }
    let sent = headers.get("grpc-retry-pushback-ms").cloned();
    let exhausted = headers.get("x-retries-exhausted").is_some_and(|value| value == "1");
    let details = input.bytes(64).to_vec();
    let has_details = !details.is_empty();
    let failure =
        Failure::of(&Status::with_details_and_metadata(code, "", details.into(), MetadataMap::from_headers(headers)));
    let Some(sent) = sent else { return };
    // A plus sign and a negative zero are not in the specification, but unmistakable.
    let text = sent.to_str().unwrap_or("?");
    let (digits, most) = match text.strip_prefix('-') {
        Some(digits) => (digits, 0),
        None => (text.strip_prefix('+').unwrap_or(text), i32::MAX as u64),
    };
    let number = decimal(digits.as_bytes()).filter(|ms| *ms <= most);
    let refused = if exhausted { Some(NoRetry::ExhaustedBelow) } else { number.is_none().then_some(NoRetry::Refused) };
    assert_eq!(failure.server_delay(), number.map(Duration::from_millis), "{sent:?}, details {has_details}");
    assert_eq!(failure.no_retry(), refused, "{sent:?}");
}
