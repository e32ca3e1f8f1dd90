//! A program for wasm32-wasip1, where tokio has a clock and a timer. `run.mjs` runs it.

use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use retry_runtime::{Jitter, Policy, retry};

#[retry(attempts = 3, start = "20ms", attempt_timeout = "50ms")]
async fn third(attempts: &mut u32) -> io::Result<u32> {
    *attempts += 1;
    match *attempts {
        1 => Err(io::ErrorKind::ConnectionReset.into()),
        2 => pending().await,
        attempts => Ok(attempts),
    }
}

fn main() {
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert_eq!(runtime.block_on(third(&mut 0)).unwrap(), 3);
    assert!(start.elapsed() >= Duration::from_millis(20 + 50 + 40), "{:?}", start.elapsed());
    let jittered = Policy::fixed(Duration::from_secs(1)).attempts(9).jitter(Jitter::Full);
    assert_eq!(jittered.schedule().count(), 8);
    println!("wasm32-wasip1: tokio's timer and time limits work");
}
