//! Cost of a call through each retry crate, as `tests/peers/run cost` prints it.
//!
//! Valgrind's callgrind runs this program again to count the instructions.

mod callgrind;
mod heap;
mod operations;
mod peers;
#[cfg(feature = "chapter")]
mod requests;

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use callgrind::instructions;
use operations::{Outcome, fail_once, large, pending, ready};
use peers::{NAMES, Visitor, visit};
use tokio::runtime::{Builder, Runtime};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", case, name, times] => repeat(case, name, times.parse().unwrap()),
        #[cfg(feature = "chapter")]
        ["requests"] => requests::compare(),
        _ => compare(),
    }
}

fn compare() {
    println!("crate\tsuccess\tpoll\tretry\tallocations of a success / a retry\tfuture of a small / a 1 KiB operation");
    for name in NAMES {
        let [success, poll, retry] = ["success", "poll", "retry"].map(|case| instructions(case, name));
        let [of_success, of_retry] =
            ["success", "retry"].map(|case| heap::allocations(|times| repeat(case, name, times)));
        let (small, big) = (visit(name, pending, Size), visit(name, large, Size));
        println!("{name}\t{success:.0}\t{poll:.0}\t{retry:.0}\t{of_success} / {of_retry}\t{small} / {big}");
    }
}

/// Makes `times` calls.
fn repeat(case: &str, name: &str, times: u64) {
    match case {
        "success" => visit(name, ready, Repeat(times)),
        "retry" => visit(name, fail_once, Repeat(times)),
        "poll" => visit(name, pending, Poll(times)),
        #[cfg(feature = "chapter")]
        _ => requests::repeat(case, name, times),
        #[cfg(not(feature = "chapter"))]
        _ => unreachable!("unknown case `{case}`"),
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

struct Repeat(u64);

impl Visitor for Repeat {
    type Output = ();

    fn visit<F: Future<Output = Outcome>>(self, call: impl Fn(u64) -> F) {
        current_thread().block_on(async {
            for _ in 0..self.0 {
                operations::FAILURES.set(1);
                black_box(call(black_box(1)).await).unwrap();
            }
        });
    }
}

/// Polls a single call many times.
struct Poll(u64);

impl Visitor for Poll {
    type Output = ();

    fn visit<F: Future<Output = Outcome>>(self, call: impl Fn(u64) -> F) {
        let runtime = current_thread();
        let _entered = runtime.enter();
        let mut call = pin!(call(self.0));
        let mut cx = Context::from_waker(Waker::noop());
        while black_box(call.as_mut()).poll(&mut cx).is_pending() {}
    }
}

/// Returns the size of the future in bytes.
struct Size;

impl Visitor for Size {
    type Output = usize;

    fn visit<F: Future<Output = Outcome>>(self, call: impl Fn(u64) -> F) -> usize {
        size_of_val(&call(1))
    }
}
