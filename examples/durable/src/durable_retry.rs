//! Retries that survive a restart: the policy decides, and the queue waits.

use std::fmt::Display;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{AbortError, BoxDynError, ExecutionContext, Task};
use retry_runtime::{Class, Condition, Failure, Policy, Verdict};
use tower_layer::Layer;
use tower_service::Service;

/// A queue that can put off the next attempt of a job.
pub(crate) trait PutOff: Clone + Send + Sync + 'static {
    /// Sets the time of the next attempt of a job that this worker still holds.
    fn put_off(&self, job: &ExecutionContext, delay: Duration) -> impl Future<Output = Result<(), BoxDynError>> + Send;
}

/// A tower layer around the function of a job.
///
/// It goes around the function itself, `build(retry.layer(task_fn(charge)))`. As a layer of the builder it would be outside of what
/// counts attempts and reads the `AbortError`: apalis would repeat a permanent failure at once.
#[derive(Clone)]
pub(crate) struct DurableRetry<Q> {
    pub(crate) policy: Policy,
    pub(crate) condition: Condition,
    /// Finds the job's own error type in the box. `Failure::of` alone knows the types of this library and of the clients.
    pub(crate) classify: fn(&BoxDynError) -> Failure,
    pub(crate) queue: Q,
}

impl<Q: PutOff> DurableRetry<Q> {
    /// Returns the error that tells apalis what to do with the job.
    async fn after(&self, job: &ExecutionContext, name: &str, attempt: u32, error: BoxDynError) -> BoxDynError {
        let verdict = self.condition.verdict_on((self.classify)(&error));
        match self.policy.delay_after(attempt, verdict) {
            Ok(delay) => {
                println!("{name}: attempt {attempt} failed: {error}; next attempt in {delay:?}");
                // If this cannot be written, the job is not lost: the next attempt comes too early.
                if let Err(why) = self.queue.put_off(job, delay).await {
                    println!("{name}: cannot write the time of the next attempt: {why}");
                }
                // An ordinary error, after which apalis keeps the job as failed until it is due. After a `RetryAfterError` the job would
                // stay locked with SQLite, and be repeated without a delay with PostgreSQL.
                error
            }
            Err(why) => {
                println!("{name}: attempt {attempt} failed: {error}; gave up: {why}");
                AbortError::new(error).into()
            }
        }
    }

    /// True if the policy allows this attempt. The attempt before it may have failed together with its worker, so that nothing has
    /// asked the policy. Without this check, a job that kills its worker would run forever.
    fn allows(&self, attempt: u32) -> bool {
        let lost = Verdict::Retry(Failure::new(Class::Unknown));
        attempt <= 1 || self.policy.delay_after(attempt - 1, lost).is_ok()
    }
}

impl<S, Q: Clone> Layer<S> for DurableRetry<Q> {
    type Service = DurableRetryService<S, Q>;

    fn layer(&self, inner: S) -> Self::Service {
        DurableRetryService { inner, retry: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct DurableRetryService<S, Q> {
    inner: S,
    retry: DurableRetry<Q>,
}

impl<S, Q, Args> Service<Task<Args>> for DurableRetryService<S, Q>
where
    S: Service<Task<Args>, Error = BoxDynError> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    Q: PutOff,
    Args: Display + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxDynError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxDynError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, task: Task<Args>) -> Self::Future {
        let retry = self.retry.clone();
        // The service that is ready makes the attempt, and not its clone.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (job, name) = (task.ctx().clone(), task.args.to_string());
            // Read in here, because apalis counts the attempt when this future is first polled.
            let attempt = u32::try_from(job.attempt()).unwrap_or(u32::MAX);
            if !retry.allows(attempt) {
                println!("{name}: attempt {attempt} is not made: no attempt is left");
                return Err(AbortError::new("the worker died in the last attempt").into());
            }
            match inner.call(task).await {
                Err(error) => Err(retry.after(&job, &name, attempt, error).await),
                response => response,
            }
        })
    }
}
