//! Closures: retrying without a separate function, under a policy that is only known at run time.
//!
//! `Policy::run` takes a closure. `Policy::schedule` returns the delays of the policy in advance.
//!
//! `ATTEMPTS=5 cargo run -p retry-examples --example run_closure`

use std::env;
use std::error::Error;
use std::time::Duration;

use reqwest::Client;
use retry_runtime::{Jitter, Policy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let attempts = env::var("ATTEMPTS").map_or(Ok(4), |number| number.parse())?;
    let policy = Policy::exponential(Duration::from_millis(100)).attempts(attempts).jitter(Jitter::Equal);
    for (retry, delay) in (1..).zip(policy.schedule()) {
        println!("retry {retry} waits between {:?} and {:?}", delay.start(), delay.end());
    }

    let url = retry_examples::httpbin().await? + "/status/503,503,200";
    let client = Client::new();
    let response = policy.run(|attempt| client.get(&url).header("x-attempt", attempt.number()).send()).await?;
    println!("result: {}", response.status());
    Ok(())
}
