//! Cost of the features `metrics` and `report`, for a call that succeeds after one wait. A feature is on or off for the whole
//! program, so each combination needs a separate run.

use std::hint::black_box;

use retry_runtime::{Executor, Policy, retry};

use crate::callgrind::count_instructions;
use crate::calls::{Outcome, operation};
use crate::measure::poll_to_end;

const POLICY: Policy = Policy::new().attempts(4);

#[retry(attempts = 4)]
async fn annotated(x: u64) -> Outcome {
    operation::waiting(x).await
}

async fn named(x: u64) -> Outcome {
    hand_written(Executor::new(&POLICY).name("push order"), x).await
}

#[cfg(any(feature = "metrics", feature = "report"))]
async fn with_stats(x: u64) -> Outcome {
    static PUSH: retry_runtime::stats::CallStats = retry_runtime::stats::CallStats::new("push order");
    hand_written(Executor::new(&POLICY).stats(&PUSH), x).await
}

async fn hand_written(mut retry: Executor<retry_runtime::executor::ManualCall<'_>>, x: u64) -> Outcome {
    loop {
        match retry.attempt_to_end(operation::waiting(x)).await {
            Ok(value) => return Ok(retry.succeed(value)),
            Err(failed) => retry.pause(failed)?.await,
        }
    }
}

/// Returns the rows, each with the size of its future.
fn sizes() -> Vec<(&'static str, usize)> {
    vec![
        ("annotated function", size_of_val(&annotated(1))),
        ("hand-written loop, named", size_of_val(&named(1))),
        #[cfg(any(feature = "metrics", feature = "report"))]
        ("hand-written loop with `CallStats`", size_of_val(&with_stats(1))),
    ]
}

pub(crate) fn repeat(name: &str, recorder: &str, times: u64) {
    if recorder == "recorder" {
        metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().unwrap();
    }
    let calls = 0..times;
    match name {
        "annotated function" => calls.for_each(|i| poll_to_end(annotated(black_box(i)))),
        "hand-written loop, named" => calls.for_each(|i| poll_to_end(named(black_box(i)))),
        #[cfg(any(feature = "metrics", feature = "report"))]
        "hand-written loop with `CallStats`" => calls.for_each(|i| poll_to_end(with_stats(black_box(i)))),
        _ => unreachable!("unknown row `{name}`"),
    }
}

/// Prints a line for each row.
pub(crate) fn compare() {
    let features: Vec<_> = [("metrics", cfg!(feature = "metrics")), ("report", cfg!(feature = "report"))]
        .into_iter()
        .filter_map(|(name, is_on)| is_on.then_some(name))
        .collect();
    let (with, arguments) = match features.join(",") {
        none if none.is_empty() => ("neither `metrics` nor `report`".to_owned(), String::new()),
        some => (some.clone(), format!(" --features {some}")),
    };
    println!("\ncargo bench -p retry-runtime --bench cost{arguments}");
    println!("{:<46}{:>14}{:>10}", format!("statistics of {with}"), "instructions", "bytes");
    let recorders: &[_] = if cfg!(feature = "metrics") { &["none", "recorder"] } else { &["none"] };
    for (name, size) in sizes() {
        for recorder in recorders {
            let shown = instructions(name, recorder).map_or("no valgrind".to_owned(), |count| format!("{count:.0}"));
            let label =
                if *recorder == "none" { name.to_owned() } else { "… with the recorder of Prometheus".to_owned() };
            println!("{label:<46}{shown:>14}{size:>10}");
        }
    }
}

fn instructions(name: &str, recorder: &str) -> Option<f64> {
    let of = |times: u64| count_instructions(&["statistics", name, recorder, &times.to_string()]);
    Some((of(11_000)? - of(1_000)?) / 10_000.0)
}
