//! The loop around a closure: `Policy::run`.

use core::ops::ControlFlow;

use crate::classify::condition::Condition;
use crate::classify::outcome::Outcome;
use crate::classify::timed_out::FromTimedOut;
use crate::engine::executor::Executor;
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;

impl Policy {
    /// Calls `operation` until it succeeds, or until this policy or the standard [`Condition`] ends the retries. Returns the last outcome
    /// unchanged.
    ///
    /// The operation is called once for each attempt, with the [`Attempt`]. A closure that returns futures cannot lend them mutable state:
    /// for that, write the loop with an [`Executor`], or annotate a function.
    ///
    /// A response that is retried (in a `Result` or an `Option`) is drained during the pause, as in an annotated function.
    ///
    /// The events have the name `retry`. For another name, or for an observer, write the loop with an [`Executor`].
    ///
    /// ```
    /// use retry_runtime::Policy;
    ///
    /// const POLICY: Policy = Policy::new().attempts(5);
    ///
    /// async fn read(path: &str) -> std::io::Result<String> {
    ///     POLICY.run(|_| async { std::fs::read_to_string(path) }).await
    /// }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(read("Cargo.toml")).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if it has to wait outside a tokio runtime whose time is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the current attempt, and nothing else.
    pub async fn run<O, F, A>(&self, mut operation: F) -> O
    where
        F: FnMut(Attempt) -> A,
        A: Future<Output = O>,
        O: Outcome + FromTimedOut,
    {
        let mut retry = Executor::new(self);
        // Each attempt is handed out, so that it may be asked for the time since the start.
        retry.core.start_clock();
        loop {
            let attempt = retry.current();
            let pause = {
                let outcome = retry.attempt(operation(attempt)).await;
                match retry.next(outcome, &Condition::new()) {
                    ControlFlow::Break(outcome) => return outcome,
                    ControlFlow::Continue(pause) => pause,
                }
            };
            pause.await;
        }
    }
}
