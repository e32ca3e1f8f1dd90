//! Owned events: they keep the content of the events they are made from.

use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::event::{GiveUp, OwnedEvent, OwnedEventKind};
use retry_runtime::{Class, Event, Observer, retry};
use tokio::time::timeout;

use crate::support::{Attempts, Fault, SECOND};

#[derive(Default)]
struct Kept(Mutex<Vec<OwnedEvent>>);

impl Observer for Kept {
    fn on_event(&self, event: &Event<'_>) {
        let owned = event.into_owned();
        assert_eq!(owned.to_string(), event.to_string());
        assert_eq!(format!("{:?}", owned.as_event()), format!("{event:?}"));
        assert_eq!(owned.as_event().into_owned(), owned);
        self.0.lock().unwrap().push(owned);
    }
}

impl Kept {
    fn kinds(self) -> Vec<OwnedEventKind> {
        self.0.into_inner().unwrap().into_iter().map(|event| event.kind).collect()
    }
}

#[retry(attempts = 2, start = "1s", observer = kept, name = "call")]
async fn call(kept: &Kept, attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
    attempts.succeed_at(succeed_at, Fault::status(503).after(SECOND * 2))
}

#[tokio::test(start_paused = true)]
async fn owned_events_outlive_their_call() {
    let kept = Kept::default();
    call(&kept, &Attempts::new(), 2).await.unwrap();
    let events = kept.0.lock().unwrap();
    assert_eq!(events.len(), 5);
    let OwnedEvent { ref name, attempt, attempts, elapsed, ref kind, .. } = events[1];
    assert_eq!((&**name, attempt, attempts, elapsed), ("call", 1, Some(2), Duration::ZERO));
    let OwnedEventKind::AttemptFailed { class, status, reason, .. } = kind else { panic!("{kind:?}") };
    assert_eq!((*class, *status, &**reason), (Class::Transient, Some(503), "fault"));
    assert_eq!(events[2].to_string(), "next attempt in 2s, as the server asked");
    assert_eq!(events[4].kind, OwnedEventKind::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn owned_events_keep_the_end_of_the_call() {
    let kept = Kept::default();
    call(&kept, &Attempts::new(), 9).await.unwrap_err();
    assert_eq!(kept.kinds().last(), Some(&OwnedEventKind::GaveUp(GiveUp::Exhausted)));

    let kept = Kept::default();
    timeout(SECOND, call(&kept, &Attempts::new(), 9)).await.unwrap_err();
    assert_eq!(kept.kinds().last(), Some(&OwnedEventKind::Cancelled));
}
