//! A module for a host without JavaScript. `check.mjs` runs it without giving it any import.

use std::cell::RefCell;
use std::future::{Future, Ready, pending, ready};
use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use retry_runtime::{retry, retrying};

thread_local! {
    static DELAYS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The host's timer; this one only notes the delay.
fn sleep(delay: Duration) -> Ready<()> {
    DELAYS.with_borrow_mut(|delays| delays.push(u64::try_from(delay.as_millis()).unwrap()));
    ready(())
}

#[retry(attempts = 3, backoff = "exponential", start = "100ms", attempt_timeout = "9s", sleep = sleep)]
async fn annotated(attempts: &mut u32) -> Result<u32, std::io::Error> {
    third(attempts)
}

#[retry(attempts = 2, start = "5s", attempt_timeout = "100s", sleep = sleep)]
async fn never_answers() -> Result<u32, std::io::Error> {
    pending().await
}

fn third(attempts: &mut u32) -> Result<u32, std::io::Error> {
    *attempts += 1;
    if *attempts < 3 { Err(ErrorKind::ConnectionReset.into()) } else { Ok(*attempts) }
}

async fn all() -> u64 {
    let (mut attempts, mut in_block) = (0, 0);
    assert_eq!(annotated(&mut attempts).await.unwrap(), 3);
    assert_eq!(retrying!(attempts = 3, start = "1s", sleep = sleep, async { third(&mut in_block) }).await.unwrap(), 3);
    assert_eq!(never_answers().await.unwrap_err().kind(), ErrorKind::TimedOut);
    DELAYS.with_borrow(|delays| delays.iter().sum())
}

/// The sum of all delays, in milliseconds.
#[unsafe(no_mangle)]
pub extern "C" fn delays() -> u64 {
    match pin!(all()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(sum) => sum,
        Poll::Pending => 0,
    }
}
