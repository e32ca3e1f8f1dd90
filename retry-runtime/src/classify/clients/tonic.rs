//! What is known of gRPC's statuses.

use core::time::Duration;
use std::sync::Arc;

use prost::Message;
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use crate::classify::breaker_open::BreakerOpen;
use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::retryable::by_failure;
use crate::classify::timed_out::TimedOut;

by_failure! {
    /// A status that was made from an error of the transport is what that error is. One that the server sent, by its code:
    ///
    /// | code | class |
    /// |---|---|
    /// | `Unavailable`, `DeadlineExceeded` | transient |
    /// | `ResourceExhausted` | transient if the server says when to come back: a quota may be one of seconds or of months |
    /// | `Aborted`, `Cancelled`, `Internal`, `Unknown` | unknown |
    /// | all others | permanent |
    ///
    /// The [meaning of the codes](https://grpc.io/docs/guides/status-codes/) says of `Unavailable` alone that the call itself is to
    /// be made again, as does [AIP-194](https://google.aip.dev/194). A deadline that was exceeded is what a timeout is elsewhere:
    /// another attempt has another one. `Aborted` is to be tried again from further up, beginning with what was read. A call that
    /// must not be made twice needs `on_error`: the server may have processed an `Unavailable` one.
    ///
    /// The server's delay is the one in `google.rpc.RetryInfo`, otherwise that of the trailer `grpc-retry-pushback-ms`. Pushback
    /// that is negative, or no number, asks for no further attempt
    /// ([gRPC A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback)): permanent.
    ///
    /// A gRPC code is no HTTP status, so there is none for `on_status` to look at.
    ///
    /// Not processed where there was no connection; with the `h2` and `hyper` features also where the server refused the stream.
    Status, failure_of
}

fn failure_of(status: &Status) -> Failure {
    // What is known without this feature is not known otherwise with it.
    let below = chain::search_sources(status);
    if below.class() != Class::Unknown {
        return below;
    }
    let pushback = pushback(status);
    let delay = retry_delay(status.details()).or(pushback.and_then(Result::ok));
    let class = match pushback {
        Some(Err(DoNotRetry)) => Class::Permanent,
        _ => class_of(status.code(), delay.is_some()),
    };
    let failure = match status.code() {
        Code::DeadlineExceeded => Failure::new(class).after_timeout(),
        _ => Failure::new(class),
    };
    delay.map_or(failure, |delay| failure.with_server_delay(delay))
}

fn class_of(code: Code, has_delay: bool) -> Class {
    match code {
        Code::Unavailable | Code::DeadlineExceeded => Class::Transient,
        Code::ResourceExhausted if has_delay => Class::Transient,
        Code::ResourceExhausted | Code::Aborted | Code::Cancelled | Code::Internal | Code::Unknown => Class::Unknown,
        // An error that says that there is none.
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

/// There was no connection, whatever the reason.
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

/// A timeout of tonic's own, which it reports as `Cancelled`.
impl Retryable for TimeoutExpired {
    fn class(&self) -> Class {
        Class::Transient
    }

    fn is_timeout(&self) -> bool {
        true
    }
}

/// `DeadlineExceeded`, with the [`TimedOut`] as its source.
impl From<TimedOut> for Status {
    fn from(timed_out: TimedOut) -> Self {
        let mut status = Self::deadline_exceeded(timed_out.to_string());
        status.set_source(Arc::new(timed_out));
        status
    }
}

/// `Unavailable`, with the [`BreakerOpen`] as its source.
impl From<BreakerOpen> for Status {
    fn from(open: BreakerOpen) -> Self {
        let mut status = Self::unavailable(open.to_string());
        status.set_source(Arc::new(open));
        status
    }
}

/// The server asks for no further attempt.
#[derive(Clone, Copy)]
struct DoNotRetry;

/// A number of milliseconds, of 32 bits and signed.
fn pushback(status: &Status) -> Option<Result<Duration, DoNotRetry>> {
    let value = status.metadata().get("grpc-retry-pushback-ms")?;
    let milliseconds = value.to_str().ok().and_then(|text| text.parse::<i32>().ok());
    Some(milliseconds.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis).ok_or(DoNotRetry))
}

/// `retry_delay` of the `google.rpc.RetryInfo` in a `google.rpc.Status`.
// Not by `tonic-types`: its conversion into a `Duration` overflows for the most negative delay.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    let RichStatus { details } = RichStatus::decode(details).ok()?;
    let info = details.into_iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let Delay { seconds, nanos } = RetryInfo::decode(&*info.value).ok()?.retry_delay?;
    // No delay is negative, and with these seconds the nanoseconds cannot overflow.
    let Ok(seconds) = u64::try_from(seconds) else { return Some(Duration::ZERO) };
    Some(Duration::new(seconds, u32::try_from(nanos).unwrap_or(0)))
}

/// `google.rpc.Status`, as far as it is looked at.
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
