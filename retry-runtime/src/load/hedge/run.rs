//! Hedging without an executor: [`Hedge::run`].

use core::future::poll_fn;
use core::pin::pin;

use crate::classify::condition::Condition;
use crate::classify::outcome::Outcome;
use crate::load::hedge::Hedge;
use crate::load::hedge::copies::{Copies, HedgeOutcome, Turns};
use crate::util::sleep::TokioSleep;

impl Hedge {
    /// Runs the operation, which receives the number of the copy, from 1. Returns the first outcome that is a success by
    /// the standard [`Condition`], or the last failure once no copy runs any more. A failure does not start the next copy
    /// earlier: the loop around this call retries.
    ///
    /// All copies borrow what the closure borrows. Copies emit no events, because this call cannot tell which attempt it is
    /// part of.
    ///
    /// # Panics
    ///
    /// If it has to wait outside a tokio runtime whose time is enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops all copies.
    #[cfg(feature = "tokio")]
    pub async fn run<O, A>(&self, operation: impl Fn(u32) -> A) -> O
    where
        A: Future<Output = O>,
        O: Outcome,
    {
        let copy = |number| {
            let operation = operation(number);
            async {
                let outcome = operation.await;
                HedgeOutcome::classified(&Condition::new(), outcome.classification(), outcome)
            }
        };
        let (mut copies, mut turns) = (pin!(Copies::none()), pin!(Turns::none()));
        copies.as_mut().add(copy(1));
        poll_fn(|cx| {
            loop {
                let polled = copies.as_mut().poll(cx);
                if polled.is_ready() || turns.as_mut().next(cx, self, &TokioSleep).is_none() {
                    return polled;
                }
                if let Some(paid) = self.pay(None) {
                    let number = copies.made() + 1;
                    copies.as_mut().add(copy(number));
                    paid.spend();
                }
            }
        })
        .await
    }
}
