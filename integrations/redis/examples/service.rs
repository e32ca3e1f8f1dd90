//! A service whose retries are limited together with those of all its other processes.
//!
//! ```text
//! redis-server --save '' &
//! cargo run --example service
//! ```
//!
//! Ctrl-C ends it. Kill Redis to see the event.

use std::io;
use std::time::Duration;

use retry_redis::RedisStore;
use retry_runtime::fleet::{LeaseEvent, LeaseEventKind};
use retry_runtime::{Budget, retry};
use tokio::sync::oneshot;
use tokio::time::interval;

/// All processes together make at most 100 retries during an outage, and each of them one without Redis.
static API: Budget = Budget::leased(1).capacity(500).lease_size(20).name("api").on_lease_event(report);

#[retry(attempts = 3, start = "100ms", budget = API)]
async fn fetch(item: u32) -> io::Result<u32> {
    // Instead of a request: one of ten items always fails.
    if item % 10 == 0 { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(item) }
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

/// Makes calls. A server would handle its requests here.
async fn serve() {
    let mut ticks = interval(Duration::from_millis(50));
    for item in 0.. {
        ticks.tick().await;
        tokio::spawn(fetch(item));
        if item % 40 == 0 {
            println!("{} tokens here, {} retries refused", API.tokens(), API.refusals());
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = RedisStore::new("redis://127.0.0.1/", "retry-budget:api")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let leasing = tokio::spawn(API.lease_until(store, async {
        let _ = stopped.await;
    }));

    tokio::select! {
        () = serve() => {}
        result = tokio::signal::ctrl_c() => result?,
    }

    // After the last call: what is left of the lease goes back to the other processes.
    let _ = stop.send(());
    leasing.await?;
    println!("returned: {:?}", API.lease_stats());
    Ok(())
}
