//! Cost of the headers for the next service: of `decorate` alone, with an empty map of headers for each attempt.

use std::hint::black_box;
use std::time::Duration;

use http::HeaderMap;
use retry_runtime::propagation::Propagation;
use retry_runtime::{Attempt, Executor, Policy};

use crate::callgrind::count_instructions;
use crate::heap;

const LIMITED: Policy = Policy::new().deadline(Duration::from_secs(10));
const NAMES: [&str; 5] =
    ["a map with two headers of the user", "HTTP", "HTTP, with a deadline", "gRPC", "gRPC, with a deadline"];

pub(crate) fn repeat(name: &str, times: u64) {
    let limited = Executor::new(&LIMITED).current();
    let unlimited = Executor::new(&Policy::new()).current();
    let (propagation, attempt): (_, &Attempt) = match name {
        "HTTP" => (Propagation::new(), &unlimited),
        "HTTP, with a deadline" => (Propagation::new(), &limited),
        "gRPC" => (Propagation::grpc(), &unlimited),
        "gRPC, with a deadline" => (Propagation::grpc(), &limited),
        _ => return (0..times).for_each(|_| drop(black_box(headers_of_the_user()))),
    };
    for _ in 0..times {
        let mut headers = headers_of_the_user();
        propagation.decorate(&mut headers, black_box(attempt));
        black_box(headers);
    }
}

/// The headers of a typical request, so that the map is allocated with and without propagation.
fn headers_of_the_user() -> HeaderMap {
    let text = http::HeaderValue::from_static;
    HeaderMap::from_iter([(http::header::ACCEPT, text("*/*")), (http::header::USER_AGENT, text("bench"))])
}

/// Prints a line for each kind of header.
pub(crate) fn compare() {
    println!("\n{:<46}{:>14}{:>14}{:>10}", "headers for the next service", "instructions", "allocations", "bytes");
    for name in NAMES {
        let count = |times: u64| count_instructions(&["headers", name, &times.to_string()]);
        // Take the difference, so that the work before and after does not count.
        let instructions = || Some((count(11_000)? - count(1_000)?) / 10_000.0);
        let shown = instructions().map_or("no valgrind".to_owned(), |count| format!("{count:.0}"));
        let heap = heap::during(|| repeat(name, 1000));
        let (allocations, bytes) = (heap.allocations as f64 / 1000.0, heap.bytes / 1000);
        println!("{name:<46}{shown:>14}{allocations:>14.2}{bytes:>10}");
    }
}
