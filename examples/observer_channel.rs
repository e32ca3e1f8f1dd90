//! Observers and channels: processing events in an async task, for example to store or forward them.
//!
//! An observer runs between attempts and must not wait. It sends the events through a channel to a task that processes them.
//! If the task is too slow and the channel is full, the observer drops events and counts them, so that it never delays a
//! retry.
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
        // Reserve a place first, to avoid copying an event that does not fit into the channel.
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

/// Stores events until all senders are dropped.
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
        println!("a channel for {size} events, {takes:?} to store each event");
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
