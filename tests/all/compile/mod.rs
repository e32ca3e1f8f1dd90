//! Code that `#[retry]` must accept. Each case compiles, and each test checks that it retries.

#![allow(
    clippy::let_and_return,
    clippy::manual_async_fn,
    clippy::needless_arbitrary_self_type,
    clippy::needless_question_mark,
    clippy::never_loop,
    clippy::question_mark,
    clippy::toplevel_ref_arg,
    clippy::type_complexity,
    reason = "the cases cover what users may write, not what they should write"
)]

mod arguments;
mod attributes;
mod bodies;
mod borrowed;
mod generics;
mod hygiene;
mod lints;
mod macros;
mod mixed;
mod receivers;
mod returns;
mod send;
mod single_await;
mod traits;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};

/// The outcome of most cases.
type R<T> = Result<T, String>;

/// An operation that fails twice, then succeeds.
#[derive(Debug, Default)]
struct Flaky(AtomicU32);

impl Flaky {
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Counts an attempt. Returns `true` for the first two.
    fn fails(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) < 2
    }

    fn attempt<T>(&self, value: T) -> R<T> {
        if self.fails() { Err("not yet".to_owned()) } else { Ok(value) }
    }

    fn attempts(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Checks that the third attempt returned this value.
#[track_caller]
fn assert_third<T: PartialEq<V> + Debug, V: Debug, E: Debug>(flaky: &Flaky, outcome: Result<T, E>, value: V) {
    assert_eq!(outcome.expect("the third attempt succeeds"), value);
    assert_eq!(flaky.attempts(), 3);
}
