//! Blocks in annotated functions, in each other, and in loops.

use retry_runtime::{retry, retrying};

use crate::support::{Attempts, Fault};

#[tokio::test(start_paused = true)]
async fn attempts_multiply_in_an_annotated_function() {
    #[retry(attempts = 2, start = "1s")]
    async fn outer(attempts: &Attempts) -> Result<u32, Fault> {
        retrying!(attempts = 2, start = "1s", async {
            retrying!(attempts = 2, start = "1s", async { attempts.succeed_at(99, Fault::TRANSIENT) }).await
        })
        .await
    }
    let attempts = Attempts::new();
    assert_eq!((outer(&attempts).await, attempts.count()), (Err(Fault::TRANSIENT), 8));
}

#[tokio::test(start_paused = true)]
async fn once_does_not_multiply() {
    let attempts = Attempts::new();
    let outcome = retrying!(attempts = 3, start = "1s", nested = "once", async {
        retrying!(attempts = 2, start = "1s", async { attempts.succeed_at(99, Fault::TRANSIENT) }).await
    });
    assert_eq!((outcome.await, attempts.count()), (Err(Fault::TRANSIENT), 2));
}

#[test]
fn blocking_blocks_nest() {
    let attempts = Attempts::new();
    let _runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = retrying!(blocking, attempts = 2, start = "0s", || {
        retrying!(blocking, attempts = 3, start = "0s", || attempts.succeed_at(99, Fault::TRANSIENT))
    });
    assert_eq!((outcome, attempts.count()), (Err(Fault::TRANSIENT), 6));
}

#[tokio::test(start_paused = true)]
async fn the_attempts_of_nested_blocks_have_their_own_names() {
    let mut seen = Vec::new();
    let outcome = retrying!(attempts = 2, start = "1s", async |outer| {
        retrying!(attempts = 2, start = "1s", async |inner| {
            seen.push((outer.number(), inner.number()));
            Err::<(), _>(Fault::TRANSIENT)
        })
        .await
    });
    assert_eq!(outcome.await, Err(Fault::TRANSIENT));
    assert_eq!(seen, [(1, 1), (1, 2), (2, 1), (2, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_function_defined_in_the_block() {
    let outcome = retrying!(attempts = 2, start = "1s", async {
        #[retry(attempts = 2, start = "1s")]
        async fn inner() -> Result<u32, Fault> {
            Ok(1)
        }
        inner().await
    });
    assert_eq!(outcome.await, Ok(1));
}
