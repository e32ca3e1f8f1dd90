//! Breakers: which attempts are made, and what becomes of the others.

use std::error::Error;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::{Breaker, BreakerOpen, BreakerState, Class, Policy, Retryable};

use crate::server::{Server, client};
use crate::support::{Attempts, Fault, SECOND, ms, timed};
use crate::trace::record;

type Outcome = Result<(), Boxed>;
type Boxed = Box<dyn Error + Send + Sync>;

/// Opens when half of four fail, for five seconds.
fn of_four() -> Breaker {
    Breaker::new().minimum_calls(4)
}

async fn fails(breaker: &Breaker) -> Outcome {
    breaker.call(async { Err(io::Error::from(ErrorKind::ConnectionReset).into()) }).await
}

async fn succeeds(breaker: &Breaker) -> Outcome {
    breaker.call(async { Ok(()) }).await
}

fn is_open(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|error| error.is::<BreakerOpen>())
}

/// A breaker that has just opened.
async fn opened() -> Breaker {
    let breaker = of_four();
    for _ in 0..4 {
        assert!(!is_open(&fails(&breaker).await));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn it_opens_when_too_many_fail() {
    let breaker = of_four();
    for succeed in [true, true, false] {
        if succeed {
            succeeds(&breaker).await.unwrap()
        } else {
            fails(&breaker).await.unwrap_err().to_string();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_open_no_attempt_is_made() {
    let breaker = opened().await;
    let attempts = Attempts::new();
    let outcome: Outcome = breaker
        .call(async {
            attempts.start();
            Ok(())
        })
        .await;
    assert!(is_open(&outcome));
    assert_eq!(attempts.count(), 0);
    let open = *outcome.unwrap_err().downcast::<BreakerOpen>().unwrap();
    assert_eq!((open.name(), open.half_open_in(), open.class()), ("breaker", SECOND * 5, Class::Permanent));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_again() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // What failed before is forgotten.
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn there_is_one_probe_at_a_time() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    let probe = async {
        let slow = async {
            tokio::time::sleep(SECOND).await;
            Ok(())
        };
        breaker.call::<Outcome>(slow).await
    };
    let other = async {
        tokio::time::sleep(ms(500)).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        succeeds(&breaker).await
    };
    let (probe, other) = tokio::join!(probe, other);
    probe.unwrap();
    assert!(is_open(&other));
    succeeds(&breaker).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_leaves_its_place_to_the_next() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // An attempt that is dropped counts as nothing.
    for _ in 0..9 {
        tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_looks_back_as_far_as_its_window() {
    for (window, state) in [(SECOND * 10, BreakerState::Open), (SECOND * 3, BreakerState::Closed)] {
        let breaker = of_four().window(window);
        for _ in 0..4 {
            fails(&breaker).await.unwrap_err();
            tokio::time::advance(SECOND * 2).await;
        }
        assert_eq!(breaker.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn each_setting_makes_a_difference() {
    async fn after(breaker: Breaker, failures: u32, successes: u32) -> BreakerState {
        for _ in 0..successes {
            succeeds(&breaker).await.unwrap();
        }
        for _ in 0..failures {
            let _ = fails(&breaker).await;
        }
        breaker.state()
    }
    use BreakerState::{Closed, Open};
    assert_eq!((after(Breaker::new(), 19, 0).await, after(Breaker::new(), 20, 0).await), (Closed, Open));
    assert_eq!((after(of_four(), 3, 0).await, after(of_four().minimum_calls(3), 3, 0).await), (Closed, Open));
    assert_eq!((after(of_four().failure_rate(60), 3, 3).await, after(of_four(), 3, 3).await), (Closed, Open));
    let breaker = of_four().open_for(SECOND);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(ms(999)).await;
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(ms(1)).await;
    succeeds(&breaker).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_another_attempt_would_not_change_is_no_failure_of_the_service() {
    let breaker = of_four();
    for _ in 0..9 {
        breaker.call(async { Err::<(), _>(Boxed::from(io::Error::from(ErrorKind::InvalidInput))) }).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn responses_count_by_their_status() {
    let (server, client) = (Server::statuses([503]).await, client());
    let breaker = of_four();
    for _ in 0..5 {
        let _ = breaker.call(client.get(&server.url).send()).await;
    }
    assert_eq!((breaker.state(), server.requests()), (BreakerState::Open, 4));
    let error = breaker.call(client.get(&server.url).send()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Permanent, true));
}

mod in_a_loop {
    use super::*;

    const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_an_open_breaker_ends_the_call() {
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.run(|_| fails(&breaker))).await;
        assert!(is_open(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_leaves_time_lets_it_wait_for_the_probe() {
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.deadline(SECOND * 6).run(|_| succeeds(&breaker))).await;
        outcome.unwrap();
        assert_eq!(took, SECOND * 5);
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.deadline(SECOND * 5).run(|_| succeeds(&breaker))).await;
        assert!(is_open(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_error_of_a_client_tells_how_long_too() {
        let (server, client) = (Server::statuses([503, 503, 503, 503, 200]).await, client());
        let breaker = of_four();
        for _ in 0..4 {
            let _ = breaker.call(client.get(&server.url).send()).await;
        }
        let policy = POLICY.deadline(SECOND * 9);
        let (outcome, took) = timed(policy.run(|_| breaker.call(client.get(&server.url).send()))).await;
        assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn an_option_of_an_attempt_that_is_not_made_is_none() {
        let breaker = opened().await;
        assert_eq!(breaker.call(async { Some(1) }).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_once() {
    static CHANGES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (trace, _guard) = record();
    let breaker = of_four().named("api").on_change(|change| {
        CHANGES.lock().unwrap().push(format!("{}: {} to {}", change.name, change.from, change.to));
    });
    for _ in 0..6 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    let told = ["api: closed to open", "api: open to half-open", "api: half-open to closed"];
    assert_eq!(*CHANGES.lock().unwrap(), told);
    let events: Vec<_> = trace.events().iter().map(|event| (event.level.clone(), event.message.clone())).collect();
    let expected =
        [("WARN", "the breaker opened"), ("INFO", "the breaker is half-open"), ("INFO", "the breaker is closed")];
    assert_eq!(events, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
    assert!(trace.events().iter().all(|event| event.fields["name"] == "api"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused: [fn() -> Breaker; 5] = [
        || Breaker::new().failure_rate(0),
        || Breaker::new().failure_rate(101),
        || Breaker::new().minimum_calls(0),
        || Breaker::new().window(Duration::ZERO),
        || Breaker::new().open_for(Duration::ZERO),
    ];
    for make in refused {
        assert!(std::panic::catch_unwind(make).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_ones_own_is_made_from_it() {
    #[derive(Debug, retry_runtime::Retryable, thiserror::Error)]
    enum ApiError {
        #[error(transparent)]
        #[retryable(source)]
        Open(#[from] BreakerOpen),
        #[error("fault")]
        #[retryable(source)]
        Fault(#[source] Fault),
    }
    let breaker = opened().await;
    let outcome = breaker.call(async { Err::<(), _>(ApiError::Fault(Fault::TRANSIENT)) }).await;
    assert!(matches!(outcome, Err(ApiError::Open(_))));
}
