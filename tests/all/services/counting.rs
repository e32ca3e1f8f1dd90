//! A short deadline from outside never counts against the service that was called. Each test has its counterpart, in which a limit of this
//! process counts.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::once;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use retry_runtime::breaker::BreakerState;
use retry_runtime::server::CallerLayer;
use retry_runtime::stats::report;
use retry_runtime::{Breaker, Budget, Deadline, Policy, TimedOut, retry};
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{SECOND, ms};

/// A breaker that opens with the first failure that counts.
const fn sensitive() -> Breaker {
    Breaker::new().minimum_attempts(1).failure_rate(1).open_for(SECOND)
}

fn no() -> io::Error {
    io::Error::other("no")
}

async fn fails_after(time: Duration) -> io::Result<()> {
    sleep(time).await;
    Err(no())
}

const CALLER: Duration = Duration::from_millis(100);

/// True if the breaker counts a failure of `Breaker::call` that comes after this time, under a caller that waits for [`CALLER`].
async fn counts_in_call(after: Duration) -> bool {
    let breaker = sensitive();
    Deadline::after(CALLER).scope(breaker.call(fails_after(after))).await.unwrap_err();
    breaker.state() == BreakerState::Open
}

#[tokio::test(start_paused = true)]
async fn failure_after_the_caller_has_left_does_not_count_in_a_call() {
    assert!(counts_in_call(ms(50)).await);
    assert!(counts_in_call(ms(98)).await);
    // Within the millisecond that rounding may take.
    assert!(!counts_in_call(ms(99)).await);
    assert!(!counts_in_call(ms(100)).await);
    assert!(!counts_in_call(ms(500)).await);
}

#[tokio::test(start_paused = true)]
async fn success_of_a_probe_after_the_caller_has_left_counts() {
    let breaker = sensitive();
    breaker.call(fails_after(Duration::ZERO)).await.unwrap_err();
    sleep(SECOND).await;
    let probe = breaker.call(async {
        sleep(CALLER * 2).await;
        io::Result::Ok(())
    });
    Deadline::after(CALLER).scope(probe).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// Successes count like failures: not after the caller has left. A later failure is then the only attempt of the window.
#[tokio::test(start_paused = true)]
async fn success_after_the_caller_has_left_does_not_count() {
    for (caller, state) in [(CALLER, BreakerState::Open), (SECOND, BreakerState::Closed)] {
        let breaker = Breaker::new().minimum_attempts(1).failure_rate(50);
        for _ in 0..9 {
            let succeeds = breaker.call(async {
                sleep(CALLER).await;
                io::Result::Ok(())
            });
            Deadline::after(caller).scope(succeeds).await.unwrap();
        }
        breaker.call(fails_after(Duration::ZERO)).await.unwrap_err();
        assert_eq!(breaker.state(), state);
    }
}

/// A breaker that is about to admit a probe.
async fn probing(breaker: &Breaker) {
    breaker.call(fails_after(Duration::ZERO)).await.unwrap_err();
    sleep(SECOND).await;
}

/// The probe whose caller has left neither closes nor fails the breaker: it is open for a tenth of the time.
#[tokio::test(start_paused = true)]
async fn probe_whose_caller_has_left_opens_the_breaker_for_a_short_time() {
    let breaker = sensitive();
    probing(&breaker).await;
    Deadline::after(CALLER).scope(breaker.call(fails_after(CALLER))).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    sleep(ms(99)).await;
    breaker.call(async { io::Result::Ok(()) }).await.unwrap_err();
    sleep(ms(1)).await;
    breaker.call(async { io::Result::Ok(()) }).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// A probe whose future is dropped outside its poll, as a server drops that of a request whose client has left.
#[tokio::test(start_paused = true)]
async fn probe_dropped_between_polls_after_the_caller_has_left_opens_the_breaker_for_a_short_time() {
    let breaker = sensitive();
    probing(&breaker).await;
    let call = Box::pin(Deadline::after(CALLER).scope(breaker.call(pending::<io::Result<()>>())));
    timeout(CALLER, call).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    sleep(SECOND).await;
    let service = service_fn(async |_: Request<()>| breaker.call(pending::<io::Result<Response<()>>>()).await);
    let request = Request::builder().header("x-envoy-expected-rq-timeout-ms", "100").body(()).unwrap();
    let served = CallerLayer::new().trust_callers().layer(service).oneshot(request);
    timeout(CALLER, served).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// The same for a probe in the body of a response.
#[tokio::test(start_paused = true)]
async fn probe_dropped_with_a_body_after_the_caller_has_left_opens_the_breaker_for_a_short_time() {
    let breaker = &sensitive();
    probing(breaker).await;
    let service = service_fn(async |_: Request<()>| {
        let frame = async { breaker.call(pending::<io::Result<()>>()).await.map(|()| Frame::data(Bytes::new())) };
        io::Result::Ok(Response::new(StreamBody::new(once(frame))))
    });
    let request = Request::builder().header("x-envoy-expected-rq-timeout-ms", "100").body(()).unwrap();
    let response = CallerLayer::new().trust_callers().layer(service).oneshot(request).await.unwrap();
    timeout(CALLER, Box::pin(response.into_body().collect())).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// A probe that is dropped for any other reason makes room for the next at once.
#[tokio::test(start_paused = true)]
async fn dropped_probe_whose_caller_waits_makes_room_for_the_next() {
    let breaker = sensitive();
    probing(&breaker).await;
    let dropped = timeout(ms(50), breaker.call(pending::<io::Result<()>>()));
    Deadline::after(CALLER).scope(dropped).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.call(async { io::Result::Ok(()) }).await.unwrap();
}

/// The number of requests that reach a service that hangs within ten seconds, from callers that wait for 3 ms, one after the other.
async fn requests_that_hang(breaker: &Breaker, call: impl AsyncFn(&AtomicU32)) -> u32 {
    probing(breaker).await;
    let (reached, start) = (AtomicU32::new(0), tokio::time::Instant::now());
    while start.elapsed() < SECOND * 10 {
        Deadline::after(ms(3)).scope(call(&reached)).await;
        sleep(ms(1)).await;
    }
    reached.into_inner()
}

async fn hangs(reached: &AtomicU32) -> io::Result<()> {
    reached.fetch_add(1, Relaxed);
    pending().await
}

/// A probe takes 3 ms and the breaker is then open for 100.
#[tokio::test(start_paused = true)]
async fn few_attempts_of_brief_callers_reach_a_service_that_hangs() {
    static BREAKER: Breaker = sensitive();

    #[retry(attempts = 1, deadline = "9s", breaker = BREAKER)]
    async fn annotated(reached: &AtomicU32) -> io::Result<()> {
        hangs(reached).await
    }
    let reached = requests_that_hang(&BREAKER, async |reached| drop(annotated(reached).await)).await;
    assert!((90..=100).contains(&reached), "{reached}");

    // The limit drops the future of the breaker's call.
    let breaker = sensitive();
    let policy = Policy::new().attempts(1).deadline(SECOND * 9);
    let reached = requests_that_hang(&breaker, async |reached| {
        policy.run(|_| breaker.call(hangs(reached))).await.unwrap_err();
    });
    let reached = reached.await;
    assert!((90..=100).contains(&reached), "{reached}");
}

macro_rules! attempt_in_pass {
    ($name:ident, $($limit:tt)*) => {
        mod $name {
            use super::*;

            pub(super) static BREAKER: Breaker = sensitive();

            #[retry(attempts = 1, breaker = BREAKER, $($limit)*)]
            pub(super) async fn call() -> io::Result<()> {
                pending().await
            }
        }
    };
}
attempt_in_pass!(caller_first, deadline = "9s");
attempt_in_pass!(own_deadline_first, deadline = "50ms");
attempt_in_pass!(own_timeout_first, attempt_timeout = "50ms");

#[tokio::test(start_paused = true)]
async fn attempt_cut_off_by_the_caller_does_not_count() {
    Deadline::after(CALLER).scope(caller_first::call()).await.unwrap_err();
    assert_eq!(caller_first::BREAKER.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn attempt_cut_off_by_an_own_limit_counts() {
    Deadline::after(CALLER).scope(own_deadline_first::call()).await.unwrap_err();
    assert_eq!(own_deadline_first::BREAKER.state(), BreakerState::Open);
    Deadline::after(CALLER).scope(own_timeout_first::call()).await.unwrap_err();
    assert_eq!(own_timeout_first::BREAKER.state(), BreakerState::Open);
}

/// An attempt that is dropped because the attempt around it is cut off, after the pass was taken.
mod dropped {
    use super::*;

    macro_rules! nested {
        ($name:ident, $($limit:tt)*) => {
            pub(super) mod $name {
                use super::*;

                pub(in super::super) static BREAKER: Breaker = sensitive();

                #[retry(attempts = 1, breaker = BREAKER)]
                async fn inner() -> io::Result<()> {
                    pending().await
                }

                #[retry(attempts = 1, $($limit)*)]
                pub(in super::super) async fn outer() -> io::Result<()> {
                    inner().await
                }
            }
        };
    }
    nested!(by_caller, deadline = "9s");
    nested!(by_own_limit, attempt_timeout = "50ms");
}

#[tokio::test(start_paused = true)]
async fn attempt_dropped_by_the_deadline_of_the_caller_does_not_count() {
    Deadline::after(CALLER).scope(dropped::by_caller::outer()).await.unwrap_err();
    assert_eq!(dropped::by_caller::BREAKER.state(), BreakerState::Closed);
    Deadline::after(CALLER).scope(dropped::by_own_limit::outer()).await.unwrap_err();
    assert_eq!(dropped::by_own_limit::BREAKER.state(), BreakerState::Open);
}

mod hedged {
    use super::*;

    macro_rules! hedged {
        ($name:ident, $($limit:tt)*) => {
            pub(super) mod $name {
                use super::*;

                pub(in super::super) static BREAKER: Breaker = sensitive();

                #[retry(attempts = 1, hedge = "10ms", breaker = BREAKER, $($limit)*)]
                pub(in super::super) async fn call() -> io::Result<()> {
                    pending().await
                }
            }
        };
    }
    hedged!(by_caller, deadline = "9s");
    hedged!(by_own_limit, attempt_timeout = "50ms");
}

#[tokio::test(start_paused = true)]
async fn hedged_copies_cut_off_by_the_caller_do_not_count() {
    Deadline::after(CALLER).scope(hedged::by_caller::call()).await.unwrap_err();
    assert_eq!(hedged::by_caller::BREAKER.state(), BreakerState::Closed);
    Deadline::after(CALLER).scope(hedged::by_own_limit::call()).await.unwrap_err();
    assert_eq!(hedged::by_own_limit::BREAKER.state(), BreakerState::Open);
}

#[test]
fn blocking_attempt_does_not_count_after_the_caller_has_left() {
    static BREAKER: Breaker = sensitive();

    #[retry(blocking, attempts = 1, breaker = BREAKER)]
    fn call() -> io::Result<()> {
        Err(no())
    }
    Deadline::after(Duration::ZERO).run(call).unwrap_err();
    assert_eq!(BREAKER.state(), BreakerState::Closed);
    Deadline::after(SECOND).run(call).unwrap_err();
    assert_eq!(BREAKER.state(), BreakerState::Open);
}

/// A call that the enclosing code drops has never counted.
#[tokio::test(start_paused = true)]
async fn call_that_the_server_drops_does_not_count() {
    let breaker = sensitive();
    let deadline = Deadline::after(CALLER);
    let call = deadline.scope(breaker.call(pending::<io::Result<()>>()));
    timeout(deadline.remaining(), call).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// The tokens that the budget has lost after a call whose attempts fail at 0 and 10 ms and then hang.
async fn tokens_lost(policy: Policy, caller: Duration) -> u32 {
    let budget = Budget::new().capacity(500).retry_cost(5).timeout_cost(7);
    let full = budget.tokens();
    let hangs_third = async |attempt: retry_runtime::Attempt| match attempt.number() {
        1 | 2 => Err(no()),
        _ => pending::<io::Result<()>>().await,
    };
    Deadline::after(caller).scope(policy.run(hangs_third).budget(&budget)).await.unwrap_err();
    full - budget.tokens()
}

/// Two retries are paid for by failures that count. The attempt that is cut off pays for none.
#[tokio::test(start_paused = true)]
async fn attempt_cut_off_by_the_caller_takes_no_tokens() {
    let policy = Policy::fixed(ms(10)).attempts(4);
    let two_retries = 2 * 5;
    assert_eq!(tokens_lost(policy.deadline(SECOND * 9), CALLER).await, two_retries);
    let limited = policy.attempt_timeout(ms(50));
    assert_eq!(tokens_lost(limited, SECOND * 9).await, two_retries + 7);
}

#[tokio::test(start_paused = true)]
async fn deadline_of_the_caller_is_a_reason_of_its_own_in_reports() {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

    #[retry(attempts = 9, start = "1s", deadline = "1500ms", name = "services::reasons")]
    async fn call() -> Result<(), TimedOut> {
        ATTEMPTS.fetch_add(1, Relaxed);
        pending().await
    }
    Deadline::after(SECOND).scope(call()).await.unwrap_err();
    Deadline::after(SECOND * 2).scope(call()).await.unwrap_err();
    let report = report();
    let row = report.rows.iter().find(|row| row.name == "services::reasons").unwrap();
    let reasons: Vec<_> = row.gave_up_by_reason.iter().map(|(why, count)| (*why, *count)).collect();
    assert_eq!(reasons, [("caller_deadline", 1), ("deadline", 1)]);
    assert_eq!((row.calls, row.attempts, row.gave_up), (2, 2, 2));
}
