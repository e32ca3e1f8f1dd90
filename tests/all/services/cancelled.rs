//! tonic's `Cancelled`, with which its server reports the end of the call's time.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use retry_runtime::event::EventKind;
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Class, Condition, Event, Executor, Observer, OnError, Policy, Retryable, retry};
use tokio::time::sleep;
use tonic::Status;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Attempts, SECOND};

/// The class in the last failure, and the last reason for giving up.
#[derive(Default)]
struct Last(Mutex<(Option<Class>, Option<&'static str>)>);

impl Observer for Last {
    fn on_event(&self, event: &Event<'_>) {
        let mut last = self.0.lock().unwrap();
        match event.kind {
            EventKind::AttemptFailed { class, .. } => last.0 = Some(class),
            EventKind::GaveUp(why) => last.1 = Some(why.as_str()),
            _ => {}
        }
    }
}

impl Last {
    fn take(&self) -> (Option<Class>, Option<&'static str>) {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Returns after this time. Longer than the deadline, it blocks, so that the deadline does not cut it off.
async fn cancel_after(time: Duration) -> Result<(), Status> {
    tokio::time::advance(time).await;
    Err(Status::cancelled(""))
}

const TIMED_OUT: (Option<Class>, Option<&str>) = (Some(Class::Transient), Some("deadline"));
const UNKNOWN: (Option<Class>, Option<&str>) = (Some(Class::Unknown), Some("excluded"));

#[tokio::test(start_paused = true)]
async fn is_a_timeout_in_an_annotated_function_only_after_its_deadline() {
    #[retry(attempts = 1, deadline = "5s", on_error = "transient", observer = last)]
    async fn call(last: &Last, time: Duration) -> Result<(), Status> {
        cancel_after(time).await
    }
    let last = Last::default();
    call(&last, SECOND * 4).await.unwrap_err();
    assert_eq!(last.take(), UNKNOWN);
    call(&last, SECOND * 5).await.unwrap_err();
    assert_eq!(last.take(), TIMED_OUT);
}

#[tokio::test(start_paused = true)]
async fn is_a_timeout_after_the_deadline_of_a_call_around() {
    #[retry(attempts = 1, on_error = "transient", observer = last)]
    async fn inner(last: &Last, time: Duration) -> Result<(), Status> {
        cancel_after(time).await
    }
    const AROUND: Policy = Policy::new().attempts(1).deadline(Duration::from_secs(5));
    let last = Last::default();
    AROUND.run(|_| inner(&last, SECOND * 4)).to_end().await.unwrap_err();
    assert_eq!(last.take(), UNKNOWN);
    AROUND.run(|_| inner(&last, SECOND * 5)).to_end().await.unwrap_err();
    assert_eq!(last.take(), TIMED_OUT);
    inner(&last, SECOND * 5).await.unwrap_err();
    assert_eq!(last.take(), UNKNOWN);
}

#[tokio::test(start_paused = true)]
async fn is_a_timeout_in_loops_closures_and_tower() {
    const POLICY: Policy = Policy::new().attempts(1).deadline(Duration::from_secs(5));
    let transient = Condition::new().on_error(OnError::Transient);
    let last = Arc::new(Last::default());
    for (time, expected) in [(SECOND * 4, UNKNOWN), (SECOND * 5, TIMED_OUT)] {
        let mut retry = Executor::new(&POLICY).observer(&*last);
        let outcome = retry.attempt_to_end(cancel_after(time)).await;
        assert!(retry.next(outcome, &transient).is_break());
        assert_eq!(last.take(), expected);
        let call = POLICY.run(|_| cancel_after(time)).to_end().condition(transient).observer(&*last);
        call.await.unwrap_err();
        assert_eq!(last.take(), expected);
        let policy = TowerPolicy::new(POLICY).condition(transient).observer(last.clone());
        let service = ServiceBuilder::new().layer(policy).service(service_fn(cancel_after));
        service.oneshot(time).await.unwrap_err();
        assert_eq!(last.take(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn boxed_status_is_recognized_too() {
    #[retry(attempts = 1, deadline = "5s", on_error = "transient", observer = last)]
    async fn call(last: &Last) -> Result<(), Box<dyn Error + Send + Sync>> {
        cancel_after(SECOND * 5).await?;
        Ok(())
    }
    let last = Last::default();
    call(&last).await.unwrap_err();
    assert_eq!(last.take(), TIMED_OUT);
}

/// The user's own predicate and other codes are not affected while time is left.
#[tokio::test(start_paused = true)]
async fn is_retried_as_before_while_there_is_time() {
    #[retry(attempts = 3, start = "1s", deadline = "50s")]
    async fn call(attempts: &Attempts) -> Result<(), Status> {
        attempts.start();
        sleep(SECOND).await;
        Err(Status::cancelled(""))
    }
    let attempts = Attempts::new();
    call(&attempts).await.unwrap_err();
    assert_eq!(attempts.count(), 3);
    assert_eq!(Status::cancelled("").class(), Class::Unknown);
    assert!(!Status::cancelled("").is_timeout());
}
