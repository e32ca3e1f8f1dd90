//! A workflow engine's client retries gRPC errors with two backoffs, one for throttling and one for other errors. It retries the first
//! GOAWAY at once and for free. A long poll also retries errors that look permanent during a grace period, because proxies send them
//! while they start.
//!
//! In the events of the library's form, the free call belongs to the attempt that received the GOAWAY.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, Server, assert_same, run_of};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Code {
    Cancelled,
    DeadlineExceeded,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code:?}")]
struct Status {
    code: Code,
    is_goaway: bool,
}

#[derive(Clone, Copy)]
struct Config {
    start: Duration,
    factor: f64,
    max_delay: Duration,
    /// The retries of a call that is not a long poll.
    max_retries: u32,
}

const ORDINARY: Config =
    Config { start: Duration::from_millis(100), factor: 1.5, max_delay: Duration::from_secs(5), max_retries: 4 };
const THROTTLED: Config =
    Config { start: Duration::from_secs(1), factor: 2.0, max_delay: Duration::from_secs(10), max_retries: 4 };
const GRACE_PERIOD: Duration = Duration::from_secs(60);

fn is_retried(code: Code, is_long_poll: bool) -> bool {
    match code {
        Code::ResourceExhausted | Code::Unavailable => true,
        Code::Cancelled | Code::DeadlineExceeded => is_long_poll,
        Code::PermissionDenied => false,
    }
}

type Client = Server<Result<&'static str, Status>>;

async fn call(client: &Client) -> Result<&'static str, Status> {
    client.reply("call")
}

mod before {
    use super::*;

    struct Backoff {
        config: Config,
        delay: Duration,
    }

    impl Backoff {
        fn new(config: Config) -> Self {
            Self { config, delay: config.start }
        }

        fn next(&mut self) -> Duration {
            let next = self.delay.mul_f64(self.config.factor).min(self.config.max_delay);
            std::mem::replace(&mut self.delay, next)
        }
    }

    struct ErrorHandler {
        backoff: Backoff,
        throttled: Backoff,
        started: Instant,
        is_long_poll: bool,
        has_retried_goaway: bool,
        retries: u32,
    }

    impl ErrorHandler {
        fn handle(&mut self, status: Status) -> Result<Duration, Status> {
            if status.is_goaway && !self.has_retried_goaway {
                self.has_retried_goaway = true;
                return Ok(Duration::ZERO);
            }
            if !self.is_long_poll && self.retries >= self.backoff.config.max_retries {
                return Err(status);
            }
            let delay = if is_retried(status.code, self.is_long_poll) {
                match status.code {
                    Code::ResourceExhausted => self.throttled.next(),
                    _ => self.backoff.next(),
                }
            } else if self.is_long_poll && self.started.elapsed() <= GRACE_PERIOD {
                self.backoff.config.max_delay
            } else {
                return Err(status);
            };
            self.retries += 1;
            tracing::warn!("call failed {} times: {status}, next attempt in {delay:?}", self.retries);
            Ok(delay)
        }
    }

    pub(super) async fn call_with_retry(client: &Client, is_long_poll: bool) -> Result<&'static str, Status> {
        let (backoff, throttled, started) = (Backoff::new(ORDINARY), Backoff::new(THROTTLED), Instant::now());
        let (has_retried_goaway, retries) = (false, 0);
        let mut handler = ErrorHandler { backoff, throttled, started, is_long_poll, has_retried_goaway, retries };
        loop {
            match call(client).await {
                Ok(response) => return Ok(response),
                Err(status) => tokio::time::sleep(handler.handle(status)?).await,
            }
        }
    }
}

mod after {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use retry_runtime::Policy;
    use retry_runtime::policy::PolicyBuilder;

    use super::*;

    fn policy(config: Config, is_long_poll: bool) -> Policy {
        let policy = PolicyBuilder::exponential(config.start).factor(config.factor).max_delay(config.max_delay);
        if is_long_poll { policy.unlimited() } else { policy.attempts(config.max_retries + 1) }.clamp()
    }

    pub(super) async fn call_with_retry(client: &Client, is_long_poll: bool) -> Result<&'static str, Status> {
        let [policy, throttled] = [ORDINARY, THROTTLED].map(|config| policy(config, is_long_poll));
        let (mut ordinary, mut throttled) = (policy.drawn_delays(), throttled.drawn_delays());
        let (has_retried_goaway, started) = (AtomicBool::new(false), Instant::now());
        policy
            .run(|_| async {
                match call(client).await {
                    Err(status) if status.is_goaway && !has_retried_goaway.swap(true, Relaxed) => call(client).await,
                    outcome => outcome,
                }
            })
            .pause_after(|status| match status.code {
                Code::ResourceExhausted => throttled.next(),
                code if is_retried(code, is_long_poll) => ordinary.next(),
                _ if is_long_poll && started.elapsed() <= GRACE_PERIOD => Some(ORDINARY.max_delay),
                _ => None,
            })
            .name("call")
            .await
    }
}

fn fails(code: Code) -> Result<&'static str, Status> {
    Err(Status { code, is_goaway: false })
}

const GOAWAY: Result<&str, Status> = Err(Status { code: Code::Cancelled, is_goaway: true });

/// Runs both forms.
async fn both(is_long_poll: bool, replies: &[Result<&'static str, Status>]) -> [Run; 2] {
    let client = Client::new(replies.to_vec());
    let outcome = before::call_with_retry(&client, is_long_poll).await;
    let before = run_of(&outcome, &client.log);
    let client = Client::new(replies.to_vec());
    let outcome = after::call_with_retry(&client, is_long_poll).await;
    [before, run_of(&outcome, &client.log)]
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_error_has_its_backoff() {
    let (busy, throttled) = (fails(Code::Unavailable), fails(Code::ResourceExhausted));
    let replies = [busy.clone(), throttled.clone(), busy, throttled, Ok("done")];
    let [before, after] = both(false, &replies).await;
    let notes = ["0ns call", "100ms call", "1.1s call", "1.25s call", "3.25s call"];
    assert_same(&before, &after, r#"Ok("done")"#, &notes);
}

#[tokio::test(start_paused = true)]
async fn the_first_goaway_is_free() {
    let busy = fails(Code::Unavailable);
    let replies = [busy.clone(), GOAWAY, busy.clone(), busy.clone(), busy.clone(), busy];
    let [before, after] = both(false, &replies).await;
    let notes = ["0ns call", "100ms call", "100ms call", "250ms call", "475ms call", "813ms call"];
    assert_same(&before, &after, "Err(Status { code: Unavailable, is_goaway: false })", &notes);
    let [before, after] = both(false, &[GOAWAY, GOAWAY]).await;
    assert_same(&before, &after, "Err(Status { code: Cancelled, is_goaway: true })", &["0ns call", "0ns call"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_has_a_grace_period_and_no_limit() {
    let [before, after] = both(false, &[fails(Code::PermissionDenied)]).await;
    assert_same(&before, &after, "Err(Status { code: PermissionDenied, is_goaway: false })", &["0ns call"]);
    let [before, after] = both(true, &vec![fails(Code::PermissionDenied); 14]).await;
    assert_eq!((&before, after.1.last().unwrap().as_str()), (&after, "65s call"));
    let replies: Vec<_> = std::iter::repeat_n(fails(Code::DeadlineExceeded), 30).chain([Ok("task")]).collect();
    let [before, after] = both(true, &replies).await;
    assert_eq!((&before, after.0.as_str(), after.1.len()), (&after, r#"Ok("task")"#, 31));
}
