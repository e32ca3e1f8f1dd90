//! States, settings, and which outcomes count as failures.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::{Breaker, Class, Policy, Retryable};

use super::{Boxed, Outcome, fails, is_open, opened, opens_at_half_of_four, succeeds};
use crate::support::server::{Server, client};
use crate::support::trace::record;
use crate::support::{Attempts, Fault, SECOND, ms, timed};

#[tokio::test(start_paused = true)]
async fn breaker_opens_if_too_many_attempts_fail() {
    let breaker = opens_at_half_of_four();
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
async fn open_breaker_makes_no_attempt() {
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
async fn successful_probe_closes_the_breaker_and_a_failed_one_reopens_it() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // The earlier failures no longer count.
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_probe_runs_at_a_time() {
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
async fn next_call_becomes_the_probe_after_a_dropped_one() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // A dropped attempt counts neither as a failure nor as a success.
    for _ in 0..9 {
        tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_before_the_window_do_not_count() {
    for (window, state) in [(SECOND * 10, BreakerState::Open), (SECOND * 3, BreakerState::Closed)] {
        let breaker = opens_at_half_of_four().window(window);
        for _ in 0..4 {
            fails(&breaker).await.unwrap_err();
            tokio::time::advance(SECOND * 2).await;
        }
        assert_eq!(breaker.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn each_setting_changes_when_the_breaker_opens() {
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
    assert_eq!(
        (after(opens_at_half_of_four(), 3, 0).await, after(opens_at_half_of_four().minimum_attempts(3), 3, 0).await),
        (Closed, Open)
    );
    assert_eq!(
        (after(opens_at_half_of_four().failure_rate(60), 3, 3).await, after(opens_at_half_of_four(), 3, 3).await),
        (Closed, Open)
    );
    let breaker = opens_at_half_of_four().open_for(SECOND);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(ms(999)).await;
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(ms(1)).await;
    succeeds(&breaker).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn permanent_error_does_not_count_as_a_failure() {
    let breaker = opens_at_half_of_four();
    for _ in 0..9 {
        breaker.call(async { Err::<(), _>(Boxed::from(io::Error::from(ErrorKind::InvalidInput))) }).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn response_counts_by_its_status() {
    let (server, client) = (Server::statuses([503]).await, client());
    let breaker = opens_at_half_of_four();
    for _ in 0..5 {
        let _ = breaker.call(client.get(&server.url).send()).await;
    }
    assert_eq!((breaker.state(), server.requests()), (BreakerState::Open, 4));
    let error = breaker.call(client.get(&server.url).send()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Permanent, true));
}

#[tokio::test(start_paused = true)]
async fn each_state_change_is_reported_once() {
    static CHANGES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (trace, _guard) = record();
    let breaker = opens_at_half_of_four().name("api").on_change(|change| {
        CHANGES.lock().unwrap().push(format!("{}: {} to {}", change.name, change.from, change.to));
    });
    for _ in 0..6 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    let expected = ["api: closed to open", "api: open to half-open", "api: half-open to closed"];
    assert_eq!(*CHANGES.lock().unwrap(), expected);
    let events: Vec<_> = trace.events().iter().map(|event| (event.level.clone(), event.message.clone())).collect();
    let expected =
        [("WARN", "the breaker opened"), ("INFO", "the breaker is half-open"), ("INFO", "the breaker is closed")];
    assert_eq!(events, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
    assert!(trace.events().iter().all(|event| event.fields["name"] == "api"));
}

#[test]
fn invalid_settings_panic() {
    let refused: [fn() -> Breaker; 5] = [
        || Breaker::new().failure_rate(0),
        || Breaker::new().failure_rate(101),
        || Breaker::new().minimum_attempts(0),
        || Breaker::new().window(Duration::ZERO),
        || Breaker::new().open_for(Duration::ZERO),
    ];
    for make in refused {
        assert!(std::panic::catch_unwind(make).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_open_converts_into_a_custom_error() {
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

#[tokio::test(start_paused = true)]
async fn breaker_may_stay_open_forever() {
    let breaker = opens_at_half_of_four().open_for(Duration::MAX);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 86_400 * 365).await;
    let policy = Policy::fixed(SECOND).deadline(SECOND * 2);
    let (outcome, took) = timed(policy.run(|_| succeeds(&breaker))).await;
    assert!(is_open(&outcome));
    assert_eq!(took, Duration::ZERO);
}
