//! `Policy::run` and `retrying!` with `anyhow`, as in a program of 40 lines, in tasks of a runtime with several threads.

use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::{Policy, retrying};

const POLICY: Policy = Policy::exponential(Duration::from_millis(1)).attempts(3);

#[derive(Debug, thiserror::Error)]
#[error("busy")]
struct Busy;

async fn fetch(number: u32) -> anyhow::Result<String> {
    tokio::task::yield_now().await;
    match number {
        3 => Ok(format!("page after {number} attempts")),
        _ => Err(anyhow::Error::from(Busy).context("failed to fetch")),
    }
}

async fn with_a_closure(log: &Mutex<Vec<String>>) -> anyhow::Result<String> {
    POLICY
        .run(|attempt| fetch(attempt.number()))
        .when(|error| error.is::<Busy>())
        .on_retry(|retrying| log.lock().unwrap().push(retrying.to_string()))
        .await
}

async fn with_a_block(log: &mut Vec<String>) -> anyhow::Result<String> {
    let mut number = 0;
    let page = retrying!(policy = POLICY, on_error = |error| error.is::<Busy>(), async {
        number += 1;
        log.push(format!("attempt {number}"));
        fetch(number).await
    });
    Ok(page.await?.to_uppercase())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_run_in_tasks() {
    let closure = tokio::spawn(async {
        let log = Mutex::default();
        (with_a_closure(&log).await, log.into_inner().unwrap())
    });
    let block = tokio::spawn(async {
        let mut log = Vec::new();
        (with_a_block(&mut log).await, log)
    });
    let (page, log) = closure.await.unwrap();
    assert_eq!(page.unwrap(), "page after 3 attempts");
    assert_eq!(log[0], "attempt 1 of 3 failed: failed to fetch: busy; next attempt in 1ms");
    let (page, log) = block.await.unwrap();
    assert_eq!((page.unwrap().as_str(), log.len()), ("PAGE AFTER 3 ATTEMPTS", 3));
}
