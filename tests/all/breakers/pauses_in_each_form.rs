//! Pauses of the breaker of annotated functions, blocks, hedged copies, loops and requests.

use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest_middleware::ClientBuilder;
use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::http::{PerHost, RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::{Breaker, Class, Condition, Executor, Policy, Retryable, retry, retrying};
use tokio::time::{advance, sleep};

use super::pauses::pausing;
use crate::support::server::{Reply, Server, client};
use crate::support::{Attempts, SECOND, ms, timed};

/// An error whose delay only the attribute's `error_delay` can read, unless it is `declared`.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Limited {
    #[error("limited for {seconds} s")]
    For { seconds: u64, declared: bool },
    #[error(transparent)]
    Open(#[from] BreakerOpen),
    #[error("late")]
    Late(#[from] retry_runtime::TimedOut),
}

impl Limited {
    const fn declared(seconds: u64) -> Self {
        Self::For { seconds, declared: true }
    }

    const fn hidden(seconds: u64) -> Self {
        Self::For { seconds, declared: false }
    }

    fn delay(&self) -> Option<Duration> {
        if let Self::For { seconds, .. } = self { Some(Duration::from_secs(*seconds)) } else { None }
    }
}

impl Retryable for Limited {
    fn class(&self) -> Class {
        if let Self::Open(open) = self { open.class() } else { Class::Transient }
    }
    fn server_delay(&self) -> Option<Duration> {
        if let Self::For { declared: true, .. } = self { self.delay() } else { None }
    }
    fn breaker_delay(&self) -> Option<Duration> {
        if let Self::Open(open) = self { open.breaker_delay() } else { None }
    }
}

type Outcome = Result<(), Limited>;

/// Fails in its first attempt, and then succeeds.
fn once(attempts: &Attempts, error: Limited) -> Outcome {
    attempts.succeed_at(2, error).map(drop)
}

fn is_paused(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Limited::Open(open)) if open.is_paused())
}

/// Makes three calls: the first one receives a delay of 5 seconds. The others start a second later, without and with a deadline.
/// Each counts its attempts in the `Attempts` that it is given.
async fn pauses(
    breaker: &Breaker,
    told: impl AsyncFn(&Attempts) -> Outcome,
    plain: impl AsyncFn(&Attempts) -> Outcome,
    patient: impl AsyncFn(&Attempts) -> Outcome,
) {
    let [first, second, third] = [(); 3].map(|()| Attempts::new());
    let later = async {
        sleep(SECOND).await;
        assert_eq!(breaker.state(), BreakerState::Paused);
        assert!(is_paused(&plain(&second).await));
        timed(patient(&third)).await
    };
    let ((told, took), (waits, waited)) = tokio::join!(timed(told(&first)), later);
    assert_eq!((told, took, waits), (Ok(()), SECOND * 5, Ok(())));
    assert_eq!((first.count(), second.count(), third.count()), (2, 0, 1));
    assert!((SECOND * 4..=ms(4501)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn annotated_function() {
    static BREAKER: Breaker = pausing();

    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s")]
    async fn told(attempts: &Attempts) -> Outcome {
        once(attempts, Limited::declared(5))
    }
    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s", error_delay = Limited::delay)]
    async fn told_by_its_own_function(attempts: &Attempts) -> Outcome {
        once(attempts, Limited::hidden(5))
    }
    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s")]
    async fn plain(attempts: &Attempts) -> Outcome {
        attempts.start();
        Ok(())
    }
    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s", deadline = "1m")]
    async fn patient(attempts: &Attempts) -> Outcome {
        attempts.start();
        Ok(())
    }
    pauses(&BREAKER, told, plain, patient).await;
    pauses(&BREAKER, told_by_its_own_function, plain, patient).await;
}

#[tokio::test(start_paused = true)]
async fn block() {
    let breaker = pausing();
    let told = async |attempts: &Attempts| {
        let delay = |error: &Limited| error.delay();
        retrying!(breaker = breaker, backoff = "fixed", start = "0s", error_delay = delay, async {
            once(attempts, Limited::hidden(5))
        })
        .await
    };
    let plain = async |attempts: &Attempts| {
        retrying!(breaker = breaker, backoff = "fixed", start = "0s", async {
            attempts.start();
            Outcome::Ok(())
        })
        .await
    };
    let patient = async |attempts: &Attempts| {
        retrying!(breaker = breaker, backoff = "fixed", start = "0s", deadline = "1m", async {
            attempts.start();
            Outcome::Ok(())
        })
        .await
    };
    pauses(&breaker, told, plain, patient).await;
}

#[tokio::test(start_paused = true)]
async fn hedged_function() {
    static BREAKER: Breaker = pausing();

    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s", hedge = "10ms", error_delay = Limited::delay)]
    async fn told(attempts: &Attempts) -> Outcome {
        once(attempts, Limited::hidden(5))
    }
    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s", hedge = "10ms")]
    async fn plain(attempts: &Attempts) -> Outcome {
        attempts.start();
        Ok(())
    }
    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s", hedge = "10ms", deadline = "1m")]
    async fn patient(attempts: &Attempts) -> Outcome {
        attempts.start();
        Ok(())
    }
    pauses(&BREAKER, told, plain, patient).await;
}

#[tokio::test(start_paused = true)]
async fn policy_run_and_hand_written_loop() {
    const POLICY: Policy = Policy::fixed(Duration::ZERO);

    let breaker = pausing();
    let told =
        async |attempts: &Attempts| POLICY.run(|_| breaker.call(async { once(attempts, Limited::declared(5)) })).await;
    let through = async |attempts: &Attempts, policy: Policy| {
        let mut retry = Executor::new(&policy);
        loop {
            let attempt = breaker.call(async {
                attempts.start();
                Outcome::Ok(())
            });
            let outcome = retry.attempt(attempt).await;
            match retry.next(outcome, &Condition::new()) {
                ControlFlow::Break(outcome) => break outcome,
                ControlFlow::Continue(pause) => pause.await,
            }
        }
    };
    let plain = async |attempts: &Attempts| through(attempts, POLICY).await;
    let patient = async |attempts: &Attempts| through(attempts, POLICY.deadline(SECOND * 60)).await;
    pauses(&breaker, told, plain, patient).await;
}

/// A copy that receives a delay pauses, even if the other copy is still running and succeeds later.
#[tokio::test(start_paused = true)]
async fn one_of_the_hedged_copies() {
    static BREAKER: Breaker = pausing();

    #[retry(breaker = BREAKER, hedge = "10ms", hedge_max = 3, attempts = 1)]
    async fn call(attempts: &Attempts) -> Outcome {
        if attempts.start() == 2 {
            return Err(Limited::declared(5));
        }
        sleep(ms(100)).await;
        Ok(())
    }
    let attempts = Attempts::new();
    assert_eq!(call(&attempts).await, Ok(()));
    // The third copy is not started: the second one has paused the breaker.
    assert_eq!((attempts.count(), BREAKER.state()), (2, BreakerState::Paused));
    assert!(is_paused(&call(&attempts).await));
}

#[test]
fn blocking_function() {
    static BREAKER: Breaker = Breaker::new().pause_on_retry_after(Duration::from_millis(200));

    #[retry(breaker = BREAKER, blocking, attempts = 1)]
    fn limited() -> Outcome {
        Err(Limited::declared(60))
    }
    #[retry(breaker = BREAKER, blocking, attempts = 1)]
    fn plain() -> Outcome {
        Ok(())
    }
    #[retry(breaker = BREAKER, blocking, attempts = 2, backoff = "fixed", start = "0s", deadline = "1m")]
    fn patient() -> Outcome {
        Ok(())
    }
    let start = std::time::Instant::now();
    limited().unwrap_err();
    assert!(is_paused(&plain()));
    patient().unwrap();
    assert!(start.elapsed() >= ms(200), "{:?}", start.elapsed());
    plain().unwrap();
}

#[tokio::test(start_paused = true)]
async fn delay_of_a_value_is_read_by_the_attribute() {
    static BREAKER: Breaker = pausing();

    #[derive(Debug, Clone, Copy)]
    struct Response(u16, u64);
    impl Retryable for Response {
        fn class(&self) -> Class {
            Class::of_status(self.0)
        }
    }
    #[retry(breaker = BREAKER, on_status = [418], on_error = "never", server_delay = |response| Some(Duration::from_secs(response.1)))]
    async fn call(response: Response) -> io::Result<Response> {
        Ok(response)
    }
    for (response, state) in [
        (Response(200, 5), BreakerState::Closed),
        (Response(404, 5), BreakerState::Closed),
        (Response(429, 0), BreakerState::Closed),
        (Response(429, 5), BreakerState::Paused),
    ] {
        call(response).await.unwrap();
        assert_eq!(BREAKER.state(), state, "{response:?}");
    }
}

/// The functions that read a delay are called twice for a failure only if the breaker pauses.
#[tokio::test(start_paused = true)]
async fn breaker_without_pauses_does_not_read_the_delay() {
    async fn reads(breaker: &Breaker) -> u32 {
        let mut reads = 0;
        let mut error = Some(Limited::hidden(1));
        let outcome = retrying!(
            breaker = breaker,
            error_delay = |error| {
                reads += 1;
                error.delay()
            },
            async { error.take().map_or(Outcome::Ok(()), Err) }
        )
        .await;
        outcome.unwrap();
        reads
    }
    assert_eq!((reads(&Breaker::new()).await, reads(&pausing()).await), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn status_of_grpc_with_pushback() {
    let breaker = pausing();
    let mut metadata = tonic::metadata::MetadataMap::new();
    metadata.insert("grpc-retry-pushback-ms", "5000".parse().unwrap());
    let status = tonic::Status::with_metadata(tonic::Code::Unavailable, "busy", metadata);
    breaker.call(async { Err::<(), _>(status) }).await.unwrap_err();
    let rejected = breaker.call(async { Ok::<_, tonic::Status>(()) }).await.unwrap_err();
    assert!(rejected.message().contains("is paused: the server asked to wait"), "{rejected}");
}

/// A server that limits the first request.
async fn limiting(seconds: &str) -> Server {
    Server::start([Reply::status(429).retry_after(seconds), Reply::status(200)]).await
}

/// The `BreakerOpen` in the chain of an error.
fn rejection<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e BreakerOpen> {
    error.downcast_ref().or_else(|| rejection(error.source()?))
}

const ONE: Policy = Policy::fixed(Duration::from_secs(1)).attempts(1);

#[tokio::test(start_paused = true)]
async fn requests_of_a_client_and_the_middleware() {
    let breaker = Arc::new(pausing());
    let retry = RequestRetry::new(ONE).breaker(breaker.clone());
    let server = limiting("5").await;
    let response = client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert_eq!((response.status().as_u16(), breaker.state()), (429, BreakerState::Paused));
    let error = client().get(&server.url).send_with_retry(&retry).await.unwrap_err();
    assert!(rejection(&error).unwrap().is_paused());
    let with_middleware = ClientBuilder::new(client()).with(retry.clone()).build();
    with_middleware.get(&server.url).send().await.unwrap_err();
    client().send_first_of(&retry, [client().get(&server.url)]).await.unwrap_err();
    assert_eq!(server.requests(), 1);
    // With a deadline, a request waits, also a POST: it has not been sent.
    let patient = RequestRetry::new(ONE.attempts(2).deadline(SECOND * 60)).breaker(breaker.clone());
    let (outcome, took) = timed(with_middleware.post(&server.url).with_extension(patient).send()).await;
    assert_eq!(outcome.unwrap().status(), 200);
    assert!((SECOND * 5..=ms(5501)).contains(&took), "{took:?}");
    assert_eq!((server.requests(), breaker.state()), (2, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn delay_in_another_header_of_a_response() {
    let limit = |response: &reqwest::Response| {
        let seconds = response.headers().get("x-ratelimit-reset-after")?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    };
    for (status, state) in [(200, BreakerState::Closed), (404, BreakerState::Closed), (429, BreakerState::Paused)] {
        let breaker = Arc::new(pausing());
        let retry = RequestRetry::new(ONE).breaker(breaker.clone()).server_delay(limit);
        let server = Server::start([Reply::status(status).header("x-ratelimit-reset-after", "5")]).await;
        client().get(&server.url).send_with_retry(&retry).await.unwrap();
        assert_eq!(breaker.state(), state, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_host_that_asked_is_paused() {
    let (one, other) = (limiting("5").await, Server::statuses([200]).await);
    let hosts = PerHost::new().breaker(pausing);
    let retry = RequestRetry::new(ONE).per_host(hosts.clone());
    let get = async |server: &Server| client().get(&server.url).send_with_retry(&retry).await;
    assert_eq!(get(&one).await.unwrap().status(), 429);
    for _ in 0..3 {
        assert!(rejection(&get(&one).await.unwrap_err()).unwrap().is_paused());
        assert_eq!(get(&other).await.unwrap().status(), 200);
    }
    let state = |server: &Server| hosts.breaker_of(&server.url.parse::<Url>().unwrap()).unwrap().state();
    assert_eq!((state(&one), state(&other)), (BreakerState::Paused, BreakerState::Closed));
    assert_eq!((one.requests(), other.requests()), (1, 3));
    // The next request goes to the host that is not paused, without a wait.
    let two = RequestRetry::new(ONE.attempts(2)).per_host(hosts.clone());
    let first_of = client().send_first_of(&two, [&one, &other].map(|server| client().get(&server.url)));
    let (outcome, took) = timed(first_of).await;
    assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND));
    advance(SECOND * 4).await;
    assert_eq!(get(&one).await.unwrap().status(), 200);
}
