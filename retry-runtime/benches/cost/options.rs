//! Cost of single arguments, for a call that succeeds after one wait, compared with the same function without them.

use std::hint::black_box;

use retry_runtime::breaker::BreakerOpen;
use retry_runtime::{Breaker, Budget, TimedOut, retry};

use crate::callgrind::count_instructions;
use crate::calls::{Failed, Outcome, operation};
use crate::measure::{current_thread, poll_to_end};

pub(crate) static API: Budget = Budget::new();
static FLEET: Budget = Budget::leased(1);
static BREAKER: Breaker = Breaker::new();

impl From<BreakerOpen> for Failed {
    fn from(_: BreakerOpen) -> Self {
        Self(0)
    }
}

impl From<TimedOut> for Failed {
    fn from(_: TimedOut) -> Self {
        Self(0)
    }
}

macro_rules! functions {
    ($($name:literal: $function:ident($($arguments:tt)*);)*) => {
        $(
            #[retry(attempts = 4, start = "10ms", max_delay = "1s" $($arguments)*)]
            async fn $function(x: u64) -> Outcome {
                operation::waiting(x).await
            }
        )*

        /// Returns the functions, each with the size of its future.
        fn sizes() -> Vec<(&'static str, usize)> {
            vec![$(($name, size_of_val(&$function(1)))),*]
        }

        pub(crate) fn repeat(name: &str, times: u64) {
            // A deadline needs a timer.
            let runtime = current_thread();
            let _entered = runtime.enter();
            match name {
                $($name => (0..times).for_each(|i| poll_to_end($function(black_box(i)))),)*
                _ => unreachable!("unknown function `{name}`"),
            }
        }
    };
}
functions! {
    "none of them": plain();
    "budget, full": budget(, budget = API);
    "leased budget, full": leased(, budget = FLEET);
    "breaker": breaker(, breaker = BREAKER);
    "hedge": hedge(, hedge = "50ms");
    "nested": nested(, nested = "once");
    "deadline": deadline(, deadline = "1m");
    "deadline and nested": deadline_and_nested(, deadline = "1m", nested = "once");
}

/// Prints a line for each function.
pub(crate) fn compare() {
    println!("\n{:<46}{:>14}{:>10}", "success after one wait, with", "instructions", "bytes");
    lines("option", sizes());
}

pub(crate) fn lines(command: &str, sizes: Vec<(&str, usize)>) {
    for (name, size) in sizes {
        let shown = instructions(command, name).map_or("no valgrind".to_owned(), |count| format!("{count:.0}"));
        println!("{name:<46}{shown:>14}{size:>10}");
    }
}

fn instructions(command: &str, name: &str) -> Option<f64> {
    let of = |times: u64| count_instructions(&[command, name, &times.to_string()]);
    // Take the difference, so that the work before and after the calls does not count.
    Some((of(11_000)? - of(1_000)?) / 10_000.0)
}
