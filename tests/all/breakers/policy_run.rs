//! `Policy::run` around a breaker: when a call waits for the probe, and when it gives up.

use std::time::Duration;

use retry_runtime::Policy;

use super::{fails, is_open, opened, opens_at_half_of_four, succeeds};
use crate::support::server::{Server, client};
use crate::support::{SECOND, timed};

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

#[tokio::test(start_paused = true)]
async fn open_breaker_ends_a_call_without_a_deadline() {
    let breaker = opened().await;
    let (outcome, took) = timed(POLICY.run(|_| fails(&breaker))).await;
    assert!(is_open(&outcome));
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn call_waits_for_the_probe_if_the_deadline_leaves_time() {
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
async fn call_waits_for_the_probe_if_the_error_comes_from_a_client() {
    let (server, client) = (Server::statuses([503, 503, 503, 503, 200]).await, client());
    let breaker = opens_at_half_of_four();
    for _ in 0..4 {
        let _ = breaker.call(client.get(&server.url).send()).await;
    }
    let policy = POLICY.deadline(SECOND * 9);
    let (outcome, took) = timed(policy.run(|_| breaker.call(client.get(&server.url).send()))).await;
    assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND * 5));
}

#[tokio::test(start_paused = true)]
async fn rejected_attempt_with_an_option_returns_none() {
    let breaker = opened().await;
    assert_eq!(breaker.call(async { Some(1) }).await, None);
}
