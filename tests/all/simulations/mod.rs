//! Simulations: calls that do not sleep, and record what they would have done.

mod apis;
mod options;
mod records;
mod scopes;
mod servers;
mod time;

use reqwest::Client;
use retry_runtime::{Policy, retry};

use crate::support::{Attempts, Fault, SECOND};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);
const BUSY: Fault = Fault::status(503);

/// The events of two failures and a success, in each API.
const EVENTS: &str = "
    attempt 1 of 3 starts
    attempt 1 of 3 failed: status 503
    next attempt in 1s
    attempt 2 of 3 starts
    attempt 2 of 3 failed: status 503
    next attempt in 2s
    attempt 3 of 3 starts
    attempt 3 of 3 succeeded";

/// The same events if the outcomes are errors.
fn events_of_faults() -> String {
    EVENTS.replace("status 503", "fault")
}

#[retry(attempts = 3, start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<u16> {
    Ok(client.get(url).send().await?.error_for_status()?.status().as_u16())
}

#[retry(attempts = 3, start = "1s")]
async fn call(attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
    attempts.succeed_at(succeed_at, BUSY)
}
