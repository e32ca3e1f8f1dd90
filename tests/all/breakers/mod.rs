//! Circuit breakers, alone and through the attribute.

mod attribute;
mod nested;
mod outer_time_limit;
mod pauses;
mod pauses_in_each_form;
mod pauses_reported;
mod policy_run;
mod soak;
mod states;
mod waits;
mod window;

use std::error::Error;
use std::io::{self, ErrorKind};

use retry_runtime::Breaker;
use retry_runtime::breaker::{BreakerOpen, BreakerState};

use crate::support::SECOND;

type Outcome = Result<(), Boxed>;
type Boxed = Box<dyn Error + Send + Sync>;

/// A breaker that opens for five seconds if two of four attempts fail.
fn opens_at_half_of_four() -> Breaker {
    Breaker::new().minimum_attempts(4)
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
    let breaker = opens_at_half_of_four();
    for _ in 0..4 {
        assert!(!is_open(&fails(&breaker).await));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

/// A breaker that opens on the second failure, for five seconds.
pub(crate) const fn opens_after_two() -> Breaker {
    Breaker::new().minimum_attempts(2)
}

/// Opens a breaker from [`opens_after_two`].
async fn open(breaker: &Breaker) {
    for _ in 0..2 {
        let _: io::Result<()> = breaker.call(async { Err(ErrorKind::ConnectionReset.into()) }).await;
    }
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// A half-open breaker, which lets one probe through.
async fn half_open() -> Breaker {
    let breaker = opens_after_two();
    open(&breaker).await;
    tokio::time::advance(SECOND * 5).await;
    breaker
}
