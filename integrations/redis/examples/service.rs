//! A service whose retries are limited together with those of all its other processes.
//!
//! ```text
//! redis-server --save '' &
//! cargo run --example service
//! ```

use std::time::Duration;

use retry_redis::RedisStore;
use retry_runtime::fleet::{LeaseEvent, LeaseEventKind};
use retry_runtime::{Budget, retry};
use tokio::sync::oneshot;

/// All processes together make at most 100 retries during an outage, and each of them one without Redis.
static API: Budget = Budget::leased(1).capacity(500).name("api").on_lease_event(report);

#[retry(attempts = 3, start = "100ms", budget = API)]
async fn fetch(item: u32) -> std::io::Result<u32> {
    // An upstream that fails two calls in three.
    if item % 3 == 0 { Ok(item) } else { Err(std::io::ErrorKind::ConnectionRefused.into()) }
}

/// For an alert, or a metric.
fn report(event: &LeaseEvent<'_>) {
    match event.kind {
        LeaseEventKind::StoreFailed { reason } => println!("{}: no leases: {reason}", event.name),
        LeaseEventKind::StoreRecovered { failures } => {
            println!("{}: leases again, after {failures} failures", event.name)
        }
        _ => {}
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = RedisStore::new("redis://127.0.0.1/", "retry-budget:api")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let leasing = tokio::spawn(API.lease_until(store, async {
        let _ = stopped.await;
    }));

    for item in 0..60 {
        tokio::spawn(fetch(item));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("{} tokens, {} refused retries, {:?}", API.tokens(), API.refusals(), API.lease_stats());

    // Returns what is left of the lease to the other processes.
    let _ = stop.send(());
    leasing.await?;
    println!("after shutdown: {:?}", API.lease_stats());
    Ok(())
}
