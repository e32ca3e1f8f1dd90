//! The function of `sleep = …`.

use core::time::Duration;

use crate::util::sealed::Sealed;
use crate::util::sleep::{CustomSleep, Sleep};

/// [`SleepFunction`](crate::sleep::SleepFunction) for the attribute. The compiler has to choose between two implementations: where
/// neither fits, it does not know the associated type, and reports no second error about it. A closure without types, which
/// the attribute does not take, would need a single implementation.
#[diagnostic::on_unimplemented(
    message = "expected a function that returns a future, such as `tokio::time::sleep`",
    label = "not a `fn(Duration) -> impl Future<Output = ()>`",
    note = "a function that blocks its thread, such as `std::thread::sleep`, is for a blocking function: write `blocking` and remove `async`"
)]
pub trait AsyncSleep<Kind> {
    type Sleep: Sleep;
    fn sleep(self) -> Self::Sleep;
}

#[derive(Clone, Copy, Debug)]
pub struct Function;
#[derive(Clone, Copy, Debug)]
pub struct Already;

#[diagnostic::do_not_recommend]
impl<F, T> AsyncSleep<Function> for F
where
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    type Sleep = CustomSleep<F>;
    fn sleep(self) -> CustomSleep<F> {
        CustomSleep(self)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Sleep + Sealed> AsyncSleep<Already> for S {
    type Sleep = S;
    fn sleep(self) -> S {
        self
    }
}
