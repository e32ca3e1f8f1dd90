//! The future that `retrying!` returns: spawned, sent, stored, dropped.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use retry_runtime::retrying;
use tokio::time::{sleep, timeout};

use crate::support::{Attempts, Fault, SECOND, ms};

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_spawned_on_another_thread() {
    let count = Arc::new(AtomicU32::new(0));
    let seen = count.clone();
    let call = tokio::spawn(retrying!(start = "0s", async move {
        let number = seen.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::task::yield_now().await;
        if number < 3 { Err(Fault::TRANSIENT) } else { Ok(number) }
    }));
    assert_eq!(call.await.unwrap(), Ok(3));
    assert_eq!(count.load(Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_task_lends_its_own_variables() {
    let task = tokio::spawn(async {
        let mut log = Vec::new();
        let outcome = retrying!(start = "0s", async |attempt| {
            log.push(attempt.number());
            tokio::task::yield_now().await;
            if attempt.is_last() { Ok(()) } else { Err(Fault::TRANSIENT) }
        });
        outcome.await.map(|()| log)
    });
    assert_eq!(task.await.unwrap(), Ok(vec![1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn it_is_send_although_the_error_is_not() {
    let attempts = Attempts::new();
    let call = assert_send(retrying!(start = "1s", async {
        attempts.start();
        Err::<(), _>(Rc::new("not Send"))
    }));
    assert!(call.await.is_err());
    assert_eq!(attempts.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn it_is_static_with_move() {
    fn assert_static<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let attempts = Arc::new(Attempts::new());
    let own = attempts.clone();
    let outcome = assert_static(retrying!(async move { own.succeed_at(3, Fault::TRANSIENT) })).await;
    assert_eq!((outcome, attempts.count()), (Ok(3), 3));
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_before_it_is_awaited() {
    let attempts = Attempts::new();
    let call = retrying!(async { attempts.succeed_at(1, Fault::TRANSIENT) });
    sleep(SECOND).await;
    assert_eq!(attempts.count(), 0);
    assert_eq!(call.await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_ends_the_attempt_or_the_pause() {
    let attempts = Attempts::new();
    let running = retrying!(async {
        attempts.start();
        sleep(SECOND * 9).await;
        Ok::<(), Fault>(())
    });
    assert!(timeout(SECOND, running).await.is_err());
    assert_eq!(attempts.count(), 1);

    let attempts = Attempts::new();
    let pausing = retrying!(start = "3s", async { attempts.succeed_at(9, Fault::TRANSIENT) });
    assert!(timeout(SECOND, pausing).await.is_err());
    sleep(SECOND * 9).await;
    assert_eq!(attempts.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn futures_run_at_the_same_time() {
    let attempts = Attempts::new();
    let one = |delay| {
        let attempts = &attempts;
        retrying!(start = "1s", async move {
            sleep(ms(delay)).await;
            attempts.succeed_at(3, Fault::TRANSIENT)
        })
    };
    let (first, second) = tokio::join!(one(10), one(20));
    assert_eq!((first, second), (Ok(3), Ok(4)));
}

/// The future of a block is as large as that of an annotated function with the same body.
#[test]
fn it_is_as_large_as_an_annotated_function() {
    #[retry_runtime::retry(attempts = 3, start = "1s")]
    async fn annotated(attempts: &Attempts) -> Result<u32, Fault> {
        sleep(SECOND).await;
        attempts.succeed_at(3, Fault::TRANSIENT)
    }
    let attempts = &Attempts::new();
    let known = retrying!(attempts = 3, start = "1s", async move || -> Result<u32, Fault> {
        sleep(SECOND).await;
        attempts.succeed_at(3, Fault::TRANSIENT)
    });
    let inferred = retrying!(attempts = 3, start = "1s", async move {
        sleep(SECOND).await;
        attempts.succeed_at(3, Fault::TRANSIENT)
    });
    // An `async fn` keeps its argument twice.
    let expected = size_of_val(&annotated(attempts)) - size_of::<&Attempts>();
    assert_eq!((size_of_val(&known), size_of_val(&inferred)), (expected, expected));
}

#[test]
fn a_policy_of_run_time_keeps_the_attempt_once() {
    let policy = retry_runtime::Policy::fixed(SECOND);
    let known = retrying!(policy = policy, async || -> Result<u8, Fault> {
        let buffer = [0_u8; 4096];
        sleep(SECOND).await;
        Ok(buffer[1])
    });
    let inferred = retrying!(policy = policy, async {
        let buffer = [0_u8; 4096];
        sleep(SECOND).await;
        Ok::<u8, Fault>(buffer[1])
    });
    assert_eq!(size_of_val(&inferred), size_of_val(&known));
}
