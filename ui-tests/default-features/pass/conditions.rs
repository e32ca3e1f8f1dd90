//! Conditions that have an effect without the feature of any HTTP client.

use std::error::Error;
use std::fmt::Debug;
use std::io;

use retry_runtime::{Retryable, retry};

#[derive(Debug, Retryable)]
#[retryable(status = 0)]
struct Refused(u16);

#[retry(on_status = [503])]
async fn with_a_status() -> Result<u32, Refused> {
    Err(Refused(503))
}

#[retry(on_status = [503])]
async fn with_a_status_in_the_value() -> Result<Refused, String> {
    Ok(Refused(503))
}

#[retry(on_status = [503])]
async fn with_a_status_in_a_value_beside_an_unknown_error<T: Retryable>(value: fn() -> T) -> Result<T, io::Error> {
    Ok(value())
}

#[retry(on_status = ["5xx"])]
async fn generic<E: Retryable + Debug>(error: fn() -> E) -> Result<u32, E> {
    Err(error())
}

#[retry(on_status = [])]
async fn no_status() -> io::Result<()> {
    Ok(())
}

#[retry(on_error = "transient")]
async fn transient_in_a_boxed_error() -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(())
}

#[retry(on_error = "transient")]
async fn transient_along_the_sources<E: Error>(error: fn() -> E) -> Result<(), E> {
    Err(error())
}

#[retry(on_error = "never")]
async fn only_values() -> Result<Refused, String> {
    Ok(Refused(503))
}

#[retry(on_error = "never", on_ok = |value| *value == 0)]
async fn only_some_values() -> Result<u32, String> {
    Ok(0)
}

fn main() {
    drop((with_a_status(), with_a_status_in_the_value(), no_status(), transient_in_a_boxed_error()));
    drop((with_a_status_in_a_value_beside_an_unknown_error(|| Refused(503)), generic(|| Refused(503))));
    drop((transient_along_the_sources(|| io::Error::other("")), only_values(), only_some_values()));
}
