//! Cost of a deadline, compared with the same hand-written loop in [`tokio::time::timeout`].

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use retry_runtime::retry;
use tokio::time::{sleep, timeout};

use crate::callgrind::count_instructions;
use crate::calls::{Failed, Outcome, doubling, operation, repeat as repeat_by_hand};
use crate::measure::{compared, current_thread, poll_to_end};
use crate::table::Goal::{self, Open, Times};
use crate::table::{head, line, line_with_ratio};

async fn hand_written(polls: u64) -> Outcome {
    let calls = async { repeat_by_hand!(operation::pending(polls).await, |n| doubling(Duration::from_millis(10), n)) };
    timeout(Duration::from_secs(60), calls).await.unwrap_or(Err(Failed(0)))
}

#[retry(attempts = 4, start = "10ms", max_delay = "1s", deadline = "1m")]
async fn ours(polls: u64) -> Outcome {
    operation::pending(polls).await
}

/// The rows, each with the goals for the instructions and for the time.
const CASES: [(&str, Goal, Goal); 3] = [
    ("success at once", Times(0.80), Times(0.80)),
    ("one more pending poll", Open, Times(1.60)),
    ("first pending poll and drop", Open, Times(1.45)),
];

/// Prints two lines for each row.
pub(crate) fn compare() {
    head("tokio's timeout");
    println!("with a deadline");
    let runtime = current_thread();
    let _entered = runtime.enter();
    for (case, instructions, time) in CASES {
        let counted = |calls| counted(case, calls);
        if let Some((hand_written, ours)) = counted("hand-written").zip(counted("ours")) {
            line(&format!("{case}, instructions"), hand_written, ours, instructions);
        }
        let times = |calls: &'static str| move |times| repeat_entered(case, calls, times);
        let (hand_written, ours, ratio) = compared(20_000, times("hand-written"), times("ours"));
        line_with_ratio(&format!("{case}, ns"), hand_written, ours, ratio, time);
    }
}

fn counted(case: &str, calls: &str) -> Option<f64> {
    let of = |times: u64| count_instructions(&["deadline", case, calls, &times.to_string()]);
    // Take the difference, so that the work before and after the calls does not count.
    Some((of(11_000)? - of(1_000)?) / 10_000.0)
}

pub(crate) fn repeat(case: &str, calls: &str, times: u64) {
    // A deadline needs a timer.
    let runtime = current_thread();
    let _entered = runtime.enter();
    repeat_entered(case, calls, times);
}

fn repeat_entered(case: &str, calls: &str, times: u64) {
    match calls {
        "hand-written" => repeat_calls(case, hand_written, times),
        "ours" => repeat_calls(case, ours, times),
        _ => unreachable!("unknown calls `{calls}`"),
    }
}

fn repeat_calls<F: Future<Output = Outcome>>(case: &str, call: impl Fn(u64) -> F, times: u64) {
    match case {
        "success at once" => (0..times).for_each(|_| poll_to_end(call(black_box(0)))),
        "one more pending poll" => poll_to_end(call(black_box(times))),
        "first pending poll and drop" => (0..times).for_each(|_| poll_once(call(black_box(1)))),
        _ => unreachable!("unknown case `{case}`"),
    }
}

fn poll_once(call: impl Future<Output = Outcome>) {
    let mut call = pin!(call);
    assert!(black_box(call.as_mut()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}
