//! How do I do something async with events: write them to a database, send them on?
//!
//! An observer is called between attempts and must not wait. So it sends what it hears through a channel, and a task on the
//! other side takes its time. When that falls behind and the channel is full, events are dropped and counted: retries are
//! never late because of who listens.
//!
//! `cargo run -p retry-examples --example observer_channel`

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Response};
use retry_runtime::event::OwnedEvent;
use retry_runtime::{Event, Observer, retry};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::sleep;

struct Channel {
    sender: Sender<OwnedEvent>,
    dropped: AtomicU64,
}

impl Observer for Channel {
    fn on_event(&self, event: &Event<'_>) {
        // The place first: an event that finds none is not worth a copy.
        match self.sender.try_reserve() {
            Ok(place) => place.send(event.into_owned()),
            Err(_) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[retry(attempts = 3, start = "20ms", observer = channel, name = "fetch")]
async fn fetch(channel: &Channel, client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

/// Ends when all senders are gone.
async fn store(mut events: Receiver<OwnedEvent>, takes: Duration) -> usize {
    let mut stored = 0;
    while let Some(event) = events.recv().await {
        sleep(takes).await;
        println!("stored: {} {event}", event.name);
        stored += 1;
    }
    stored
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new();
    for (size, takes) in [(100, Duration::from_millis(1)), (2, Duration::from_millis(500))] {
        println!("a channel of {size}, and {takes:?} for each event");
        let url = retry_examples::serve_statuses(&[503, 503, 200]).await?;
        let (sender, events) = mpsc::channel(size);
        let channel = Channel { sender, dropped: AtomicU64::new(0) };
        let storing = tokio::spawn(store(events, takes));

        println!("result: {}", fetch(&channel, &client, &url).await?.status());

        let Channel { sender, dropped } = channel;
        drop(sender);
        println!("stored {}, dropped {}\n", storing.await?, dropped.into_inner());
    }
    Ok(())
}
