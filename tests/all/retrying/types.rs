//! Types of outcomes: none needs a bound that its arguments do not need.

use std::error::Error;
use std::io;
use std::num::ParseIntError;
use std::pin::Pin;
use std::time::Duration;

use retry_runtime::{Class, Policy, Retryable, retrying};

use crate::support::{Attempts, FakeResponse, Fault, SECOND};

/// An error without any trait, not even `Debug`.
struct Bare(u32);

fn bare(attempts: &Attempts) -> Result<u32, Bare> {
    let number = attempts.start();
    if number < 3 { Err(Bare(number)) } else { Ok(number) }
}

#[tokio::test(start_paused = true)]
async fn the_error_needs_no_trait() {
    let number = |outcome: Result<u32, Bare>| outcome.map_err(|error| error.0);
    let attempts = Attempts::new();
    assert_eq!(number(retrying!(async { bare(&attempts) }).await), Ok(3));
    let attempts = Attempts::new();
    assert_eq!(number(retrying!(attempts = 2, async || -> Result<u32, Bare> { bare(&attempts) }).await), Err(2));
    let attempts = Attempts::new();
    assert_eq!(number(retrying!(hedge = "1s", async { bare(&attempts) }).await), Ok(3));
    let attempts = Attempts::new();
    assert_eq!(number(retrying!(nested = "once", async { bare(&attempts) }).await), Ok(3));
    let attempts = Attempts::new();
    assert_eq!(number(retrying!(blocking, start = "0s", || bare(&attempts))), Ok(3));
}

/// A run-time policy has a deadline, but an error that cannot be made from `TimedOut` is not cut off.
#[tokio::test(start_paused = true)]
async fn beside_a_policy_the_error_needs_no_conversion() {
    let policy = Policy::fixed(Duration::from_millis(1)).deadline(SECOND);
    let attempts = Attempts::new();
    let outcome = retrying!(policy = policy, async {
        tokio::time::sleep(SECOND * 2).await;
        bare(&attempts)
    });
    assert_eq!(outcome.await.map_err(|error| error.0), Err(1));
    let attempts = Attempts::new();
    let outcome = retrying!(policy = policy, async {
        tokio::time::sleep(SECOND * 2).await;
        attempts.succeed_at(1, Fault::UNKNOWN)
    });
    assert_eq!((outcome.await, attempts.count()), (Err(Fault::TRANSIENT), 0));
}

#[tokio::test(start_paused = true)]
async fn an_option_and_a_custom_outcome() {
    let attempts = Attempts::new();
    assert_eq!(retrying!(async { attempts.succeed_at(2, ()).ok() }).await, Some(2));
    let attempts = Attempts::new();
    let response = retrying!(async {
        match attempts.start() {
            1 => FakeResponse(503),
            _ => FakeResponse(200),
        }
    });
    assert_eq!(response.await, FakeResponse(200));
}

#[tokio::test(start_paused = true)]
async fn the_chain_of_a_boxed_error_is_searched() {
    type Boxed = Box<dyn Error + Send + Sync>;
    let denied = || Err::<u32, _>(io::Error::from(io::ErrorKind::PermissionDenied));
    let attempts = Attempts::new();
    let outcome = retrying!(async || -> Result<u32, Boxed> {
        attempts.start();
        Ok(denied()?)
    });
    assert!(outcome.await.is_err());
    assert_eq!(attempts.count(), 1);
    let outcome = retrying!(async {
        attempts.start();
        denied().map_err(Boxed::from)
    });
    assert!(outcome.await.is_err());
    assert_eq!(attempts.count(), 2);
    let outcome = retrying!(async {
        attempts.start();
        denied().map_err(anyhow::Error::from)
    });
    assert!(outcome.await.is_err());
    assert_eq!(attempts.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn with_the_type_written_errors_convert() {
    #[derive(Debug, PartialEq)]
    struct Wrong;
    impl From<ParseIntError> for Wrong {
        fn from(_: ParseIntError) -> Self {
            Self
        }
    }
    let text = "x";
    assert_eq!(retrying!(async || -> Result<u32, Wrong> { Ok(text.parse::<u32>()?) }).await, Err(Wrong));
    assert_eq!(retrying!(blocking, start = "0s", || -> Result<u32, Wrong> { Ok(text.parse()?) }), Err(Wrong));
    let boxed = retrying!(async || -> Result<Box<dyn Fn() -> u32>, Wrong> { Ok(Box::new(|| 1)) }).await;
    assert_eq!(boxed.map(|call| call()), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn generic_types() {
    async fn load<T, E: Retryable, F: Future<Output = Result<T, E>>>(mut make: impl FnMut() -> F) -> Result<T, E> {
        retrying!(attempts = 2, start = "1s", async { make().await }).await
    }
    async fn load_any<E>(make: impl Fn() -> Result<u32, E>) -> Result<u32, E> {
        retrying!(attempts = 2, start = "1s", async || -> Result<u32, E> { make() }).await
    }
    let attempts = Attempts::new();
    assert_eq!(load(async || attempts.succeed_at(9, Fault::PERMANENT)).await, Err(Fault::PERMANENT));
    assert_eq!(attempts.count(), 1);
    let attempts = Attempts::new();
    assert_eq!(load_any(|| attempts.succeed_at(9, Fault::PERMANENT)).await, Err(Fault::PERMANENT));
    assert_eq!(attempts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn errors_and_values_may_borrow() {
    let text = String::from("a b");
    let words = retrying!(async { text.split_once(' ').ok_or(&text) }).await;
    assert_eq!(words, Ok(("a", "b")));
    let error = retrying!(start = "1s", async || -> Result<u32, Box<dyn Error + Send + Sync + '_>> {
        Err(text.as_str().into())
    });
    assert_eq!(error.await.unwrap_err().to_string(), "a b");
}

#[tokio::test(start_paused = true)]
async fn a_boxed_future_of_any_type() {
    fn boxed<'a>(attempts: &'a Attempts) -> Pin<Box<dyn Future<Output = Result<u32, Fault>> + 'a>> {
        Box::pin(retrying!(start = "1s", async move { attempts.succeed_at(2, Fault::TRANSIENT) }))
    }
    assert_eq!(boxed(&Attempts::new()).await, Ok(2));
    assert_eq!(Fault::TRANSIENT.class(), Class::Transient);
}
