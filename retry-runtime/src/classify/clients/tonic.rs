//! Classification of tonic's `Status`, by gRPC code, `RetryInfo` and pushback, and of the errors of its transport.

use core::time::Duration;
use std::error::Error as _;
use std::sync::Arc;

use prost::Message;
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use super::advice;
use crate::classify::breaker_open::BreakerOpen;
use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::no_retry::{NoRetry, ServerAdvice};
use crate::classify::retryable::Retryable;
use crate::classify::retryable::by_failure;
use crate::classify::timed_out::TimedOut;

by_failure! {
    /// A status that tonic created from an error of the transport has the class of that error. A status from the server
    /// is classified by its code:
    ///
    /// | code | class |
    /// |---|---|
    /// | `Unavailable`, `DeadlineExceeded` | transient |
    /// | `ResourceExhausted` | transient if the server sends a delay, otherwise unknown: a quota may last seconds or months |
    /// | `Aborted`, `Cancelled`, `Internal`, `Unknown` | unknown |
    /// | all others | permanent |
    ///
    /// The [definition of the codes](https://grpc.io/docs/guides/status-codes/) and [AIP-194](https://google.aip.dev/194)
    /// recommend retrying the same call only for `Unavailable`. `DeadlineExceeded` is also transient here, as timeouts
    /// are elsewhere: the next attempt has its own deadline. After `Aborted`, the whole sequence of reads and writes
    /// has to be repeated, at a higher level. The server may have processed a call that failed with `Unavailable`, so use
    /// `on_error` for a call that must not run twice.
    ///
    /// The server delay is that of the trailer `grpc-retry-pushback-ms` or, without it, the one in `google.rpc.RetryInfo`.
    /// Pushback that is negative or not a number asks for no further attempt
    /// ([gRPC A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback)). The status is then not
    /// retried, for the reason [`NoRetry::Refused`], and neither is one with the metadata of [`NoRetry`].
    ///
    /// Unlike in A6, the delay is a lower bound with the schedule's jitter on top, and the schedule goes on after it.
    ///
    /// `Cancelled` without a source comes from the server. It is a timeout, and transient, if the deadline of the call, or one
    /// around it, has passed when the call ends: tonic's server reports its own timeout in that way.
    ///
    /// A gRPC code is not an HTTP status, so `on_status` does not apply.
    ///
    /// The request counts as unprocessed if there was no connection and, with the `h2` and `hyper` features, if the
    /// server refused the stream.
    Status, failure_of
}

fn failure_of(status: &Status) -> Failure {
    // This feature must not change the class of an error that is classified without it, so the sources come first.
    let below = chain::search_sources(status);
    if below.class() != Class::Unknown {
        return below;
    }
    let pushback = pushback(status);
    let delay = pushback.map_or_else(|| retry_delay(status.details()), Result::ok);
    let failure = Failure::new(class_of(status.code(), delay.is_some())).with_advice(advice(status, pushback));
    let failure = match status.code() {
        Code::DeadlineExceeded => failure.after_timeout(),
        // An error of tonic's own has a source.
        Code::Cancelled if status.source().is_none() => failure.by_cancellation(),
        _ => failure,
    };
    delay.map_or(failure, |delay| failure.with_server_delay(delay))
}

/// The request for no further attempt in the metadata.
fn advice(status: &Status, pushback: Option<Result<Duration, DoNotRetry>>) -> ServerAdvice {
    match (advice::of_failure(status.metadata().as_ref()), pushback) {
        (ServerAdvice::NONE, Some(Err(DoNotRetry))) => ServerAdvice::new(Some(NoRetry::Refused)),
        (advice, _) => advice,
    }
}

fn class_of(code: Code, has_delay: bool) -> Class {
    match code {
        Code::Unavailable | Code::DeadlineExceeded => Class::Transient,
        Code::ResourceExhausted if has_delay => Class::Transient,
        Code::ResourceExhausted | Code::Aborted | Code::Cancelled | Code::Internal | Code::Unknown => Class::Unknown,
        // `Ok` is not an error code, so an error that carries it cannot be classified.
        Code::Ok => Class::Unknown,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss => Class::Permanent,
    }
}

/// The class is that of its sources, or else transient. There was no connection, so the request counts as unprocessed.
impl Retryable for ConnectError {
    fn class(&self) -> Class {
        match chain::search_sources(self).class() {
            Class::Unknown => Class::Transient,
            found => found,
        }
    }

    fn is_unprocessed(&self) -> bool {
        true
    }
}

/// A timeout of tonic itself, which tonic reports with the code `Cancelled`.
impl Retryable for TimeoutExpired {
    fn class(&self) -> Class {
        Class::Transient
    }

    fn is_timeout(&self) -> bool {
        true
    }
}

/// Creates a status with the code `DeadlineExceeded` and the [`TimedOut`] as its source.
impl From<TimedOut> for Status {
    fn from(timed_out: TimedOut) -> Self {
        let mut status = Self::deadline_exceeded(timed_out.to_string());
        status.set_source(Arc::new(timed_out));
        status
    }
}

/// Creates a status with the code `Unavailable` and the [`BreakerOpen`] as its source.
impl From<BreakerOpen> for Status {
    fn from(open: BreakerOpen) -> Self {
        let mut status = Self::unavailable(open.to_string());
        status.set_source(Arc::new(open));
        status
    }
}

/// The server's request not to retry.
#[derive(Clone, Copy, PartialEq)]
struct DoNotRetry;

/// Parses the trailer `grpc-retry-pushback-ms`: a signed 32-bit number of milliseconds.
fn pushback(status: &Status) -> Option<Result<Duration, DoNotRetry>> {
    let value = status.metadata().get("grpc-retry-pushback-ms")?;
    let milliseconds = value.to_str().ok().and_then(|text| text.parse::<i32>().ok());
    Some(milliseconds.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis).ok_or(DoNotRetry))
}

/// Decodes the `retry_delay` of the `google.rpc.RetryInfo` in a `google.rpc.Status`.
// Decoded with the messages below instead of `tonic-types`, whose conversion into a `Duration` overflows for the most
// negative delay.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    let RichStatus { details } = RichStatus::decode(details).ok()?;
    let info = details.into_iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let Delay { seconds, nanos } = RetryInfo::decode(&*info.value).ok()?.retry_delay?;
    // A negative delay counts as zero. `Duration::new` cannot overflow, because `seconds` fits into an `i64`.
    let Ok(seconds) = u64::try_from(seconds) else { return Some(Duration::ZERO) };
    Some(Duration::new(seconds, u32::try_from(nanos).unwrap_or(0)))
}

/// `google.rpc.Status`, reduced to the field that is read.
#[derive(Message)]
struct RichStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
