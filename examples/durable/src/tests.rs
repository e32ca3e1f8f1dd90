//! The layer, without a queue and without a worker.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use apalis::prelude::{AbortError, BoxDynError, ExecutionContext, TaskBuilder, task_fn};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::charge::{ApiError, Charge};
use crate::durable_retry;
use crate::durable_retry::PutOff;

/// Records delays.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Duration>>>);

impl PutOff for Recorder {
    async fn put_off(&self, _: &ExecutionContext, delay: Duration) -> Result<(), BoxDynError> {
        self.0.lock().unwrap().push(delay);
        Ok(())
    }
}

/// Makes attempt `number`, which fails with this error. Returns true if the job ends, and the delays.
async fn attempt(number: usize, error: impl Fn() -> BoxDynError + Clone + Send + 'static) -> (bool, Vec<u64>) {
    let queue = Recorder::default();
    let job = task_fn(move |_: Charge| std::future::ready(Err::<(), _>(error())));
    let task = TaskBuilder::new(Charge { customer: "ada".to_owned() }).attempt(number).build();
    let error = durable_retry(&queue).layer(job).call(task).await.unwrap_err();
    let delays = queue.0.lock().unwrap().iter().map(Duration::as_secs).collect();
    (error.downcast_ref::<AbortError>().is_some(), delays)
}

fn status(status: u16, retry_after: Option<u64>) -> impl Fn() -> BoxDynError + Clone + Send + 'static {
    move || ApiError::Status { status, retry_after: retry_after.map(Duration::from_secs) }.into()
}

#[tokio::test]
async fn policy_sets_the_delay_by_the_number_of_the_attempt() {
    assert_eq!(attempt(1, status(503, None)).await, (false, vec![1]));
    assert_eq!(attempt(3, status(503, None)).await, (false, vec![4]));
    assert_eq!(attempt(3, status(503, Some(3600))).await, (false, vec![3600]));
}

#[tokio::test]
async fn job_ends_after_the_last_attempt_and_a_permanent_failure() {
    assert_eq!(attempt(4, status(503, None)).await, (true, vec![]));
    assert_eq!(attempt(1, status(422, None)).await, (true, vec![]));
}

#[tokio::test]
async fn errors_of_other_types_are_classified_by_the_library() {
    let io = |kind: std::io::ErrorKind| move || std::io::Error::from(kind).into();
    assert_eq!(attempt(1, io(std::io::ErrorKind::ConnectionRefused)).await, (false, vec![1]));
    assert_eq!(attempt(1, io(std::io::ErrorKind::PermissionDenied)).await, (true, vec![]));
}

#[tokio::test]
async fn attempt_after_the_last_one_is_not_made() {
    let made = || -> BoxDynError { panic!("the attempt is made") };
    assert_eq!(attempt(5, made).await, (true, vec![]));
}
