//! Cost of the executor to a hand-written loop and to `Policy::run`, compared with a loop without it.

use std::hint::black_box;
use std::time::Duration;

use retry_runtime::{Executor, Policy};

use crate::callgrind::count_instructions;
use crate::calls::{Calls, Failed, HandWritten, Outcome, operation};
use crate::measure::{compared, poll_to_end};
use crate::table::Goal::{self, Open, Times};
use crate::table::{head, line, line_with_ratio};

const POLICY: Policy = Policy::exponential(Duration::from_millis(10)).attempts(4).max_delay(Duration::from_secs(1));

macro_rules! around_executor {
    ($operation:expr) => {{
        let mut retry = Executor::new(&POLICY);
        loop {
            match retry.attempt_to_end($operation).await {
                Ok(value) => return Ok(retry.succeed(value)),
                Err(failed) => retry.pause(failed)?.await,
            }
        }
    }};
}

async fn ready(x: u64) -> Outcome {
    around_executor!(operation::ready(x))
}

async fn waiting(x: u64) -> Outcome {
    around_executor!(operation::waiting(x))
}

/// An executor that owns its policy, made for each call.
async fn owning(x: u64) -> Outcome {
    let mut retry = Executor::new(black_box(POLICY));
    loop {
        // A future of another type than in the other rows, so that rustc does not share the poll of the attempt.
        match retry.attempt_to_end(async { operation::ready(x).await }).await {
            Ok(value) => return Ok(retry.succeed(value)),
            Err(failed) => retry.pause(failed)?.await,
        }
    }
}

/// One use of an executor that is kept, and reset after each success.
async fn kept(retry: &mut Executor, x: u64) -> Outcome {
    loop {
        match retry.attempt_to_end(async { operation::ready(x).await }).await {
            Ok(value) => {
                retry.reset();
                return Ok(value);
            }
            Err(failed) => retry.pause(failed)?.await,
        }
    }
}

async fn run(x: u64) -> Outcome {
    POLICY.run(|_| async { operation::ready(x).await.ok() }).await.ok_or(Failed(0))
}

/// The rows, each with the loop to compare with, and with the goals for the instructions and for the time.
const CASES: [(&str, &str, Goal, Goal); 5] = [
    ("executor, success at once", "success at once", Times(2.80), Times(3.00)),
    ("executor, success after one wait", "success after one wait", Open, Open),
    ("executor with a policy of its own, success at once", "success at once", Open, Open),
    ("executor that is kept, success at once", "success at once", Open, Open),
    ("Policy::run, success at once", "success at once", Open, Open),
];

/// Prints two lines for each row.
pub(crate) fn compare() {
    head("hand-written");
    for (case, hand_written, instructions, time) in CASES {
        if let Some((hand_written, ours)) = counted(hand_written).zip(counted(case)) {
            line(&format!("{case}, instructions"), hand_written, ours, instructions);
        }
        let (hand_written, ours, ratio) =
            compared(100_000, |times| repeat(hand_written, times), |times| repeat(case, times));
        line_with_ratio(&format!("{case}, ns"), hand_written, ours, ratio, time);
    }
}

fn counted(case: &str) -> Option<f64> {
    let of = |times: u64| count_instructions(&["loop", case, &times.to_string()]);
    // Take the difference, so that the work before and after the calls does not count.
    Some((of(11_000)? - of(1_000)?) / 10_000.0)
}

pub(crate) fn repeat(case: &str, times: u64) {
    let calls = 0..times;
    match case {
        "success at once" => calls.for_each(|i| poll_to_end(HandWritten::ready(black_box(i)))),
        "success after one wait" => calls.for_each(|i| poll_to_end(HandWritten::waiting(black_box(i)))),
        "executor, success at once" => calls.for_each(|i| poll_to_end(ready(black_box(i)))),
        "executor, success after one wait" => calls.for_each(|i| poll_to_end(waiting(black_box(i)))),
        "executor with a policy of its own, success at once" => calls.for_each(|i| poll_to_end(owning(black_box(i)))),
        "executor that is kept, success at once" => {
            let mut retry = Executor::new(POLICY);
            calls.for_each(|i| poll_to_end(kept(&mut retry, black_box(i))));
        }
        "Policy::run, success at once" => calls.for_each(|i| poll_to_end(run(black_box(i)))),
        _ => unreachable!("unknown case `{case}`"),
    }
}
