//! The same policy in each crate: 3 retries after 1, 2 and 4 ms, without jitter.

use std::time::Duration;

use again::RetryPolicy;
use backon::{ExponentialBuilder, Retryable};
use retry_runtime::retry;
use tokio::time::{Sleep, sleep};
use tokio_retry2::{MapErr, Retry as Retry2};
use tower::retry::{Policy, Retry as TowerRetry};
use tower::{Layer, ServiceExt, service_fn};
use tower_resilience::retry::RetryLayer;

use crate::operations::{Failed, Outcome};

pub(crate) const NAMES: [&str; 8] =
    ["by hand", "retry-runtime", "backon", "tokio-retry", "tokio-retry2", "tower", "tower-resilience", "again"];

const RETRIES: usize = 3;
const START: Duration = Duration::from_millis(1);

pub(crate) trait Visitor {
    type Output;

    fn visit<F: Future<Output = Outcome>>(self, call: impl Fn(u64) -> F) -> Self::Output;
}

/// Visits a function that retries `operation`.
pub(crate) fn visit<V, O, F>(name: &str, operation: O, visitor: V) -> V::Output
where
    V: Visitor,
    O: Fn(u64) -> F + Clone + Copy + Send + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    match name {
        "by hand" => visitor.visit(|x| by_hand(operation, x)),
        "retry-runtime" => visitor.visit(|x| annotated(operation, x)),
        "backon" => {
            let policy = ExponentialBuilder::new().with_min_delay(START).with_max_times(RETRIES);
            visitor.visit(|x| (move || operation(x)).retry(policy))
        }
        "tokio-retry" => {
            // The powers of one are all 1 ms. Only the first delay is measured.
            let delays = tokio_retry::strategy::ExponentialBackoff::from_millis(1);
            visitor.visit(|x| tokio_retry::Retry::start(delays.clone().take(RETRIES), move || operation(x)))
        }
        "tokio-retry2" => {
            let delays = tokio_retry2::strategy::ExponentialFactorBackoff::from_millis(1, 2.0);
            let attempt = move |x| async move { operation(x).await.map_transient_err() };
            visitor.visit(|x| Retry2::spawn(delays.clone().take(RETRIES), move || attempt(x)))
        }
        "tower" => {
            let service = TowerRetry::new(Retries(0), service_fn(operation));
            visitor.visit(|x| service.clone().oneshot(x))
        }
        "tower-resilience" => {
            let layer = RetryLayer::<u64, u64, Failed>::builder().max_attempts(RETRIES + 1).exponential_backoff(START);
            let service = layer.build().layer(service_fn(operation));
            visitor.visit(|x| service.clone().oneshot(x))
        }
        "again" => {
            let policy = RetryPolicy::exponential(START).with_max_retries(RETRIES);
            visitor.visit(|x| policy.retry(move || operation(x)))
        }
        _ => unreachable!("unknown crate `{name}`"),
    }
}

async fn by_hand<F: Future<Output = Outcome>>(operation: impl Fn(u64) -> F, x: u64) -> Outcome {
    let mut retries = 0;
    loop {
        match operation(x).await {
            Ok(x) => return Ok(x),
            Err(error) if retries >= RETRIES => return Err(error),
            Err(_) => {}
        }
        sleep(START * (1 << retries)).await;
        retries += 1;
    }
}

#[retry(attempts = 4, start = "1ms")]
async fn annotated<F: Future<Output = Outcome>>(operation: impl Fn(u64) -> F, x: u64) -> Outcome {
    operation(x).await
}

#[derive(Clone)]
struct Retries(usize);

impl Policy<u64, u64, Failed> for Retries {
    type Future = Sleep;

    fn retry(&mut self, _: &mut u64, outcome: &mut Outcome) -> Option<Sleep> {
        if outcome.is_ok() || self.0 >= RETRIES {
            return None;
        }
        let delay = START * (1 << self.0);
        self.0 += 1;
        Some(sleep(delay))
    }

    fn clone_request(&mut self, x: &u64) -> Option<u64> {
        Some(*x)
    }
}
