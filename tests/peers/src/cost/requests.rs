//! Middleware around requests that are answered at once, without a connection.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use http::{Extensions, StatusCode};
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{Jitter, RetryTransientMiddleware};
use retry_runtime::Policy;
use retry_runtime::http::RequestRetry;

use crate::callgrind::instructions;
use crate::{current_thread, heap};

const START: Duration = Duration::from_millis(1);

pub(crate) fn compare() {
    println!("middleware\tsuccess\tretry\tallocations of a success / a retry");
    for name in ["none", "retry-runtime", "reqwest-retry"] {
        let cases = ["200", "503"];
        let [success, retry] = cases.map(|case| instructions(case, name));
        let [of_success, of_retry] = cases.map(|case| heap::allocations(|times| repeat(case, name, times)));
        println!("{name}\t{success:.0}\t{retry:.0}\t{of_success} / {of_retry}");
    }
}

/// Sends `times` requests whose first response has the status `case`.
pub(crate) fn repeat(case: &str, name: &str, times: u64) {
    let client = client(name);
    current_thread().block_on(async {
        for _ in 0..times {
            FAILURES.store(u32::from(case == "503"), Relaxed);
            client.get("http://localhost/page").send().await.unwrap();
        }
    });
}

fn client(name: &str) -> ClientWithMiddleware {
    let client = ClientBuilder::new(Client::new());
    let client = match name {
        "retry-runtime" => {
            const POLICY: Policy = Policy::exponential(START).attempts(4);
            client.with(RequestRetry::new(POLICY))
        }
        "reqwest-retry" => {
            let policy = ExponentialBackoff::builder().retry_bounds(START, START * 4).jitter(Jitter::None);
            client.with(RetryTransientMiddleware::new_with_policy(policy.build_with_max_retries(3)))
        }
        _ => client,
    };
    client.with(Answers).build()
}

static FAILURES: AtomicU32 = AtomicU32::new(0);

/// Answers each request in place of a server.
struct Answers;

#[async_trait]
impl Middleware for Answers {
    async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let failing = FAILURES.load(Relaxed) > 0;
        FAILURES.store(0, Relaxed);
        let status = if failing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        Ok(http::Response::builder().status(status).body("").unwrap().into())
    }
}
