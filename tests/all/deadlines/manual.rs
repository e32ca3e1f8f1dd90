//! Time limits of hand-written loops.

use super::*;

async fn cut_off(policy: Policy) -> (Result<(), Failed>, u32) {
    let mut retry = Executor::new(&policy);
    loop {
        let number = retry.current().number();
        match retry.attempt(pending::<Result<(), Failed>>()).await {
            Ok(()) => unreachable!("a pending future is never done"),
            Err(error) => match retry.pause(error) {
                Ok(pause) => pause.await,
                Err(error) => return (Err(error), number),
            },
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_and_attempt_timeout_apply() {
    let both = Policy::fixed(SECOND).attempts(9).attempt_timeout(SECOND * 2).deadline(SECOND * 7);
    let ((outcome, attempts), took) = timed(cut_off(both)).await;
    assert_eq!(outcome.unwrap_err().limit(), Some(("deadline", SECOND * 7)));
    assert_eq!((attempts, took), (3, SECOND * 7));
}

#[tokio::test(start_paused = true)]
async fn attempt_to_end_is_not_cut_off() {
    let policy = Policy::fixed(SECOND).attempts(9).attempt_timeout(SECOND).deadline(SECOND * 4);
    let mut retry = Executor::new(&policy);
    let attempt = async {
        sleep(SECOND * 3).await;
        Err::<(), _>("no")
    };
    let error = timeout(SECOND * 9, retry.attempt_to_end(attempt)).await.unwrap().unwrap_err();
    assert_eq!(retry.current().remaining(), Some(SECOND));
    assert_eq!(retry.pause(error).unwrap_err(), "no");
}

#[tokio::test(start_paused = true)]
async fn policy_run_is_cut_off() {
    let policy = Policy::fixed(SECOND).attempts(2).attempt_timeout(SECOND * 2);
    let (outcome, took) = timed(policy.run(|_| pending::<io::Result<()>>())).await;
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(took, SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn current_attempt_reports_the_remaining_time() {
    let policy = Policy::fixed(SECOND).attempts(3).deadline(SECOND * 4);
    let mut retry = Executor::new(&policy);
    retry.attempt(async { Err::<(), String>(String::new()) }).await.unwrap_err();
    retry.pause("no").unwrap().await;
    let attempt = retry.current();
    assert_eq!((attempt.elapsed(), attempt.remaining()), (SECOND, Some(SECOND * 3)));
}
