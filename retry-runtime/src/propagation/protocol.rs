//! `Propagation`: the names of the headers, and the values in a request.

use core::time::Duration;

use http::header::{AsHeaderName, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::request::RequestHeaders;
use super::{names, time};
use crate::classify::class::Class;
use crate::classify::clients::advice::{self, EXHAUSTED};
use crate::classify::failure::Failure;
use crate::classify::no_retry::NoRetry;
use crate::policy::attempt::Attempt;

/// The headers that carry the time left and the number of an attempt to the next service: their names and their format.
///
/// A small `Copy` value, which can be a constant or be in a `static`. A name is checked when it is set, at compile time in a
/// constant.
///
/// ```
/// use retry_runtime::propagation::Propagation;
///
/// const PROPAGATION: Propagation = Propagation::new().time_left_header("x-time-left-ms");
/// ```
///
/// If the header `content-type` says that a request is gRPC's, then gRPC's names and format are used, whatever the other names are. So
/// one value fits a service that has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Propagation {
    protocol: Protocol,
    exhausted: &'static str,
}

/// The protocol, with the names of its request headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http { time_left: &'static str, attempt: &'static str },
    Grpc,
}

const GRPC_TIMEOUT: &str = "grpc-timeout";
const GRPC_PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";

/// The values in a request that describe the call which it belongs to.
///
/// The values come from outside. The time may only shorten what the service would allow anyway, and the number is for logs and traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(dead_code, reason = "not all sets of features receive requests")]
pub(crate) struct Received {
    /// The time that the caller still waits: never zero. `None` without a valid value.
    pub(crate) time_left: Option<Duration>,
    /// The number of the caller's attempt, from 1. `None` without a valid value. gRPC does not send it with the first attempt.
    pub(crate) attempt: Option<u32>,
}

impl Default for Propagation {
    fn default() -> Self {
        Self::new()
    }
}

impl Propagation {
    /// Envoy's headers: `x-envoy-expected-rq-timeout-ms`, in whole milliseconds, and `x-envoy-attempt-count`, starting at 1.
    pub const fn new() -> Self {
        let (time_left, attempt) = ("x-envoy-expected-rq-timeout-ms", "x-envoy-attempt-count");
        Self { protocol: Protocol::Http { time_left, attempt }, exhausted: EXHAUSTED }
    }

    /// gRPC's headers: `grpc-timeout`, and `grpc-previous-rpc-attempts`, which is absent from the first attempt.
    pub const fn grpc() -> Self {
        Self { protocol: Protocol::Grpc, exhausted: EXHAUSTED }
    }

    /// Sets the name of the request header with the time left, in whole milliseconds. Defaults to `x-envoy-expected-rq-timeout-ms`.
    ///
    /// # Panics
    ///
    /// Panics if the name is not a valid name of a header in lower case, ends with `-bin`, or is another header's name, and with gRPC's
    /// headers, whose names are fixed.
    #[track_caller]
    pub const fn time_left_header(self, name: &'static str) -> Self {
        names::check(name);
        let Protocol::Http { attempt, .. } = self.protocol else { grpc_names_are_fixed() };
        Self { protocol: Protocol::Http { time_left: name, attempt }, ..self }.checked()
    }

    /// Sets the name of the request header with the number of the attempt, which starts at 1. Defaults to `x-envoy-attempt-count`.
    ///
    /// # Panics
    ///
    /// Panics if the name is not a valid name of a header in lower case, ends with `-bin`, or is another header's name, and with gRPC's
    /// headers, whose names are fixed.
    #[track_caller]
    pub const fn attempt_header(self, name: &'static str) -> Self {
        names::check(name);
        let Protocol::Http { time_left, .. } = self.protocol else { grpc_names_are_fixed() };
        Self { protocol: Protocol::Http { time_left, attempt: name }, ..self }.checked()
    }

    /// Sets the name of the response header that says that the service has made all retries of the failure that it answers with. Its
    /// value is `1`. Defaults to `x-retries-exhausted`.
    ///
    /// # Panics
    ///
    /// Panics if the name is not a valid name of a header in lower case, ends with `-bin`, or is another header's name.
    #[track_caller]
    pub const fn exhausted_header(self, name: &'static str) -> Self {
        names::check(name);
        Self { exhausted: name, ..self }.checked()
    }

    #[track_caller]
    const fn checked(self) -> Self {
        let (time_left, attempt) = self.protocol.names();
        names::check_differ(time_left, attempt);
        names::check_differ(time_left, self.exhausted);
        names::check_differ(attempt, self.exhausted);
        self
    }
}

#[track_caller]
const fn grpc_names_are_fixed() -> ! {
    panic!("the names of gRPC's headers are fixed: use `Propagation::new()` for headers with names of your own")
}

/// Sending.
impl Propagation {
    /// Adds the headers of this attempt to a request: the [time left](Attempt::time_left), and the number of the attempt. Call it right
    /// before the request is sent.
    ///
    /// The time is rounded down, and at least one unit of the header. If the request has a time already, and that is shorter, it stays, as
    /// it does if the call has no time limit. A time limit of reqwest's request counts too. The number replaces any other.
    ///
    /// The attempt is the variable of `bind` in an annotated function, the argument of the closure in [`retrying!`](crate::retrying) and
    /// [`Policy::run`](crate::Policy::run), and what [`Executor::current`](crate::Executor::current) returns in a hand-written loop.
    ///
    /// ```
    /// # #[cfg(all(feature = "macros", feature = "reqwest", feature = "tokio"))]
    /// # mod example {
    /// use retry_runtime::propagation::Propagation;
    /// use retry_runtime::retry;
    ///
    /// const PROPAGATION: Propagation = Propagation::new();
    ///
    /// #[retry(attempts = 3, deadline = "2s", bind = attempt)]
    /// async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
    ///     let mut request = client.get(url).build()?;
    ///     PROPAGATION.decorate(&mut request, attempt);
    ///     client.execute(request).await
    /// }
    /// # }
    /// ```
    ///
    /// A request of tonic gets gRPC's headers, with any `Propagation`.
    pub fn decorate<H: RequestHeaders>(&self, request: &mut H, attempt: &Attempt) {
        let time_left = request.time_limit().into_iter().chain(attempt.time_left()).min();
        let protocol = if H::IS_GRPC { Protocol::Grpc } else { self.protocol.of(request.map()) };
        protocol.write(request.map(), time_left, attempt.number());
    }
}

impl Protocol {
    fn write(self, headers: &mut HeaderMap, time_left: Option<Duration>, number: u32) {
        // Without an allocation, which a `&str` as the name would take.
        let (of_time, of_number) = self.names();
        let (of_time, of_number) = (HeaderName::from_static(of_time), HeaderName::from_static(of_number));
        let number = self.number(number);
        if let Some(left) = time_left {
            // At most once, instead of for each header.
            headers.reserve(1 + usize::from(number.is_some()));
            let present = values(headers, &of_time).filter_map(|value| self.parse_time(value)).min();
            if present.is_none_or(|present| left < present) {
                headers.insert(of_time, self.time(left));
            }
        }
        match number {
            Some(value) => headers.insert(of_number, value),
            // Another attempt's, if the headers are copied from a request that has been received.
            None => headers.remove(of_number),
        };
    }
}

/// Receiving.
#[allow(dead_code, reason = "not all sets of features receive requests")]
impl Propagation {
    /// The values in the headers of a request. Of several valid times in one request, the shortest; of several numbers, the first.
    ///
    /// A value that is zero, malformed or too large is ignored.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Received {
        let protocol = self.protocol.of(headers);
        let (time_left, attempt) = protocol.names();
        Received {
            time_left: values(headers, time_left).filter_map(|value| protocol.parse_time(value)).min(),
            attempt: values(headers, attempt).find_map(|value| protocol.parse_attempt(value)),
        }
    }

    /// The failure of a response with this status, if its header says that the failure has been retried already.
    pub(crate) fn advised(&self, failure: Failure, status: u16, headers: &HeaderMap) -> Failure {
        match status >= Class::FIRST_FAILURE && advice::is_exhausted(headers, self.exhausted) {
            true => failure.with_no_retry(NoRetry::ExhaustedBelow),
            false => failure,
        }
    }

    /// Marks a response: the retries of the failure that it reports are exhausted.
    pub(crate) fn mark_exhausted(&self, headers: &mut HeaderMap) {
        headers.insert(self.exhausted, HeaderValue::from_static("1"));
    }
}

impl Protocol {
    /// The names of the headers for the time left and for the number of the attempt.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Http { time_left, attempt } => (time_left, attempt),
            Self::Grpc => (GRPC_TIMEOUT, GRPC_PREVIOUS_ATTEMPTS),
        }
    }

    /// The protocol of a request with these headers.
    fn of(self, headers: &HeaderMap) -> Self {
        // gRPC-Web sends the same headers, with a content type that begins in the same way.
        const GRPC: &[u8] = b"application/grpc";
        let start = headers.get(CONTENT_TYPE).and_then(|value| value.as_bytes().get(..GRPC.len()));
        if start.is_some_and(|start| start.eq_ignore_ascii_case(GRPC)) { Self::Grpc } else { self }
    }

    fn time(self, left: Duration) -> HeaderValue {
        match self {
            Self::Http { .. } => time::millis(left),
            Self::Grpc => time::grpc(left),
        }
    }

    fn number(self, attempt: u32) -> Option<HeaderValue> {
        match self {
            Self::Http { .. } => Some(time::number(attempt)),
            Self::Grpc => attempt.checked_sub(1).filter(|previous| *previous > 0).map(time::number),
        }
    }

    fn parse_time(self, value: &[u8]) -> Option<Duration> {
        match self {
            Self::Http { .. } => time::parse_millis(value),
            Self::Grpc => time::parse_grpc(value),
        }
    }

    fn parse_attempt(self, value: &[u8]) -> Option<u32> {
        match self {
            Self::Http { .. } => time::parse_attempt(value),
            Self::Grpc => time::parse_previous(value),
        }
    }
}

fn values<K: AsHeaderName>(headers: &HeaderMap, name: K) -> impl Iterator<Item = &[u8]> + use<'_, K> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<const N: usize>(lines: [(&'static str, &str); N]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn received(time_left: Option<u64>, attempt: Option<u32>) -> Received {
        Received { time_left: time_left.map(Duration::from_millis), attempt }
    }

    const ENVOY: Propagation = Propagation::new();

    #[test]
    fn the_content_type_selects_the_protocol() {
        let all = |content_type| {
            headers([
                ("content-type", content_type),
                ("x-envoy-expected-rq-timeout-ms", "250"),
                ("x-envoy-attempt-count", "2"),
                ("grpc-timeout", "3S"),
                ("grpc-previous-rpc-attempts", "4"),
            ])
        };
        for grpc in ["application/grpc", "application/grpc+proto", "Application/gRPC", "application/grpc-web-text"] {
            assert_eq!(ENVOY.read(&all(grpc)), received(Some(3000), Some(5)), "{grpc}");
        }
        for http in ["application/json", "application/grp", ""] {
            assert_eq!(ENVOY.read(&all(http)), received(Some(250), Some(2)), "{http}");
            assert_eq!(Propagation::grpc().read(&all(http)), received(Some(3000), Some(5)), "{http}");
        }
    }

    #[test]
    fn names_of_the_users_own_are_read() {
        let own = ENVOY.time_left_header("x-left").attempt_header("x-number");
        let headers = headers([("x-left", "7"), ("x-number", "3"), ("x-envoy-expected-rq-timeout-ms", "250")]);
        assert_eq!(own.read(&headers), received(Some(7), Some(3)));
    }

    #[test]
    fn the_shortest_of_several_times_counts() {
        let headers = headers([
            ("x-envoy-expected-rq-timeout-ms", "0"),
            ("x-envoy-expected-rq-timeout-ms", "300"),
            ("x-envoy-expected-rq-timeout-ms", "200"),
            ("x-envoy-expected-rq-timeout-ms", "soon"),
            ("x-envoy-attempt-count", "0"),
            ("x-envoy-attempt-count", "3"),
            ("x-envoy-attempt-count", "2"),
        ]);
        assert_eq!(ENVOY.read(&headers), received(Some(200), Some(3)));
    }

    #[test]
    fn without_headers_nothing_is_received() {
        assert_eq!(ENVOY.read(&HeaderMap::new()), Received::default());
    }

    #[test]
    fn a_value_that_is_not_text_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("x-envoy-expected-rq-timeout-ms", HeaderValue::from_bytes(b"1\xff0").unwrap());
        headers.insert("x-envoy-attempt-count", HeaderValue::from_bytes(&[0xc3, 0xa9]).unwrap());
        assert_eq!(ENVOY.read(&headers), Received::default());
    }

    #[test]
    fn invalid_names_panic_with_the_fix() {
        let message = |set: fn(Propagation) -> Propagation| {
            let panic = std::panic::catch_unwind(|| set(ENVOY)).unwrap_err();
            *panic.downcast::<&str>().unwrap()
        };
        for (set, fix) in [
            ((|p| p.time_left_header("")) as fn(Propagation) -> Propagation, "write a name such as"),
            (|p| p.time_left_header("X-Left"), "in lower case"),
            (|p| p.attempt_header("x left"), "only letters, digits and `-`"),
            (|p| p.exhausted_header("x-bin"), "must not end with `-bin`"),
            (|p| p.attempt_header("x-retries-exhausted"), "a name of its own"),
            (|p| p.time_left_header("x-envoy-attempt-count"), "a name of its own"),
            (|_| Propagation::grpc().time_left_header("x-left"), "use `Propagation::new()`"),
            (|_| Propagation::grpc().exhausted_header("grpc-timeout"), "a name of its own"),
        ] {
            let message = message(set);
            assert!(message.contains(fix), "{message}");
        }
    }

    #[test]
    fn a_marked_response_has_the_header() {
        let mut headers = HeaderMap::new();
        ENVOY.mark_exhausted(&mut headers);
        Propagation::grpc().exhausted_header("x-own").mark_exhausted(&mut headers);
        assert_eq!(headers["x-retries-exhausted"], "1");
        assert_eq!(headers["x-own"], "1");
    }
}
