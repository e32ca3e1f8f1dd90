//! Circuit breakers: failing at once while a service is down.
//!
//! While most attempts fail, `breaker` rejects all attempts, and the function returns an error made from `BreakerOpen`. After
//! a while the breaker admits one attempt at a time. When that attempt succeeds, it admits all attempts again.
//!
//! `cargo run -p retry-examples --example breaker`

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use retry_runtime::breaker::BreakerChange;
use retry_runtime::{Breaker, retry};
use tokio::time::sleep;

static STOCK: Breaker =
    Breaker::new().name("stock").minimum_attempts(4).open_for(Duration::from_millis(200)).on_change(
        |BreakerChange { name, from, to, .. }| println!("the breaker {name} changed from {from:?} to {to:?}"),
    );

static IS_DOWN: AtomicBool = AtomicBool::new(true);

#[retry(attempts = 2, backoff = "fixed", start = "10ms", breaker = STOCK)]
async fn stock(article: u32) -> io::Result<u32> {
    if IS_DOWN.load(Ordering::Relaxed) { Err(ErrorKind::ConnectionRefused.into()) } else { Ok(article * 2) }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for article in 1..=4 {
        println!("{article}: {:?}", stock(article).await.map_err(|error| error.to_string()));
    }
    IS_DOWN.store(false, Ordering::Relaxed);
    sleep(Duration::from_millis(250)).await;
    println!("5: {:?}", stock(5).await);
    Ok(())
}
