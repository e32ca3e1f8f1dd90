//! The loop around a closure.

use core::ops::ControlFlow;

use crate::classify::condition::Condition;
use crate::classify::outcome::Outcome;
use crate::classify::timed_out::FromTimedOut;
use crate::engine::executor::Executor;
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;

impl Policy {
    /// Runs `operation` until it succeeds or this policy or the standard [`Condition`] says that it is enough; gives
    /// the last outcome as it is.
    ///
    /// A response in a `Result` or an `Option` that is tried again is read to its end during the pause, as in an annotated function.
    ///
    /// Its events have the name `retry`; for one of your own, or an observer, write the loop with an [`Executor`].
    ///
    /// The operation is called once for each attempt, with the [`Attempt`]. State that it needs mutably does not fit
    /// into a closure that makes futures: write the loop with an [`Executor`], or annotate a function.
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
    /// When it has to wait outside of a tokio runtime whose time is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt that runs, and nothing else.
    pub async fn run<O, F, A>(&self, mut operation: F) -> O
    where
        F: FnMut(Attempt) -> A,
        A: Future<Output = O>,
        O: Outcome + FromTimedOut,
    {
        let mut retry = Executor::new(self);
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
