//! A package manager runs a blocking closure as often as the user has configured. The errors are those of `anyhow`, an HTTP status
//! hides in their chain, and `Retry-After` replaces the computed delay, up to a limit. Each failure prints a warning, which can fail.

use std::time::Duration;

use anyhow::Context as _;

use super::{Log, Run, Server, assert_same, run_of};

#[derive(Debug, thiserror::Error)]
#[error("status {status}")]
struct HttpError {
    status: u16,
    retry_after: Option<Duration>,
}

struct Config {
    net_retry: Option<u32>,
}

struct Shell<'a> {
    log: &'a Log,
    is_closed: bool,
}

impl Shell<'_> {
    fn warn(&self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        anyhow::ensure!(!self.is_closed, "broken pipe");
        self.log.note(text);
        Ok(())
    }
}

fn maybe_spurious(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error: &HttpError| error.status == 429 || error.status >= 500)
}

fn retry_after(error: &anyhow::Error) -> Option<Duration> {
    error.downcast_ref::<HttpError>()?.retry_after
}

const FIRST_DELAY: Duration = Duration::from_millis(500);
const FIRST_JITTER: Duration = Duration::from_millis(1000);
const DELAY_STEP: Duration = Duration::from_millis(3000);
const MAX_DELAY: Duration = Duration::from_secs(10);

mod before {
    use super::super::{half, sleep};
    use super::*;

    struct Retry<'a> {
        shell: &'a Shell<'a>,
        retries: u32,
        max_retries: u32,
    }

    impl Retry<'_> {
        fn failed(&mut self, error: anyhow::Error) -> anyhow::Result<Duration> {
            if self.retries >= self.max_retries || !maybe_spurious(&error) {
                return Err(error);
            }
            let left = self.max_retries - self.retries;
            let tries = if left == 1 { "try" } else { "tries" };
            self.shell.warn(format!("spurious error ({left} {tries} remaining): {}", error.root_cause()))?;
            self.retries += 1;
            Ok(match retry_after(&error) {
                Some(delay) => delay.min(MAX_DELAY),
                None => self.next_delay(),
            })
        }

        fn next_delay(&self) -> Duration {
            match self.retries {
                1 => FIRST_DELAY + FIRST_JITTER.mul_f64(half()),
                retry => MAX_DELAY.min(FIRST_DELAY + DELAY_STEP.saturating_mul(retry - 1)),
            }
        }
    }

    pub(super) fn with_retry<T>(
        config: &Config,
        shell: &Shell<'_>,
        mut operation: impl FnMut() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut retry = Retry { shell, retries: 0, max_retries: config.net_retry.unwrap_or(3) };
        loop {
            match operation() {
                Ok(value) => return Ok(value),
                Err(error) => sleep(retry.failed(error)?),
            }
        }
    }
}

mod after {
    use retry_runtime::policy::{BeyondRetryAfter, PolicyBuilder, WithinRetryAfter};
    use retry_runtime::{Attempt, retrying};

    use super::super::{half, sleep};
    use super::*;

    fn next_delay(attempt: &Attempt) -> Duration {
        match attempt.number() {
            1 => FIRST_DELAY + FIRST_JITTER.mul_f64(half()),
            retry => FIRST_DELAY + DELAY_STEP.saturating_mul(retry - 1),
        }
    }

    pub(super) fn with_retry<T>(
        config: &Config,
        shell: &Shell<'_>,
        mut operation: impl FnMut() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let retries = config.net_retry.unwrap_or(3);
        let policy = PolicyBuilder::custom(next_delay).attempts(retries.saturating_add(1)).max_delay(MAX_DELAY);
        let policy = policy.retry_after(MAX_DELAY).within_retry_after(WithinRetryAfter::Replace);
        let policy = policy.beyond_retry_after(BeyondRetryAfter::Wait).clamp();
        let warn = |attempt: u32, error: &anyhow::Error| {
            let left = retries - (attempt - 1);
            let tries = if left == 1 { "try" } else { "tries" };
            shell.warn(format!("spurious error ({left} {tries} remaining): {}", error.root_cause()))
        };
        retrying!(
            blocking,
            policy = policy,
            sleep = sleep,
            on_error = maybe_spurious,
            error_delay = retry_after,
            on_retry = |retrying| retrying.error().map_or(Ok(()), |error| warn(retrying.attempt().number(), error)),
            || operation()
        )
    }
}

type Replies = Vec<Result<&'static str, HttpError>>;

fn fails(status: u16, retry_after: Option<u64>) -> Result<&'static str, HttpError> {
    Err(HttpError { status, retry_after: retry_after.map(Duration::from_secs) })
}

/// Runs both forms.
fn both(net_retry: Option<u32>, is_closed: bool, replies: fn() -> Replies) -> [Run; 2] {
    let config = Config { net_retry };
    [true, false].map(|is_before| {
        let server = Server::new(replies());
        let shell = Shell { log: &server.log, is_closed };
        let operation = || server.reply("GET").context("failed to download `serde`");
        let outcome = match is_before {
            true => before::with_retry(&config, &shell, operation),
            false => after::with_retry(&config, &shell, operation),
        };
        run_of(&outcome.map_err(|error| format!("{error:#}")), &server.log)
    })
}

#[test]
fn retry_after_replaces_the_delay_up_to_the_limit() {
    let [before, after] = both(Some(5), false, || {
        vec![
            fails(500, None),
            fails(503, Some(2)),
            fails(429, Some(60)),
            fails(502, None),
            fails(502, None),
            Ok("crate"),
        ]
    });
    let notes = [
        "0ns GET",
        "0ns spurious error (5 tries remaining): status 500",
        "1s GET",
        "1s spurious error (4 tries remaining): status 503",
        "3s GET",
        "3s spurious error (3 tries remaining): status 429",
        "13s GET",
        "13s spurious error (2 tries remaining): status 502",
        "22.5s GET",
        "22.5s spurious error (1 try remaining): status 502",
        "32.5s GET",
    ];
    assert_same(&before, &after, r#"Ok("crate")"#, &notes);
}

#[test]
fn the_last_error_keeps_its_context() {
    let [before, after] = both(Some(1), false, || vec![fails(503, Some(0)), fails(500, None)]);
    let notes = ["0ns GET", "0ns spurious error (1 try remaining): status 503", "0ns GET"];
    assert_same(&before, &after, r#"Err("failed to download `serde`: status 500")"#, &notes);
    for is_configured in [Some(0), None] {
        let [before, after] = both(is_configured, false, || vec![fails(404, None)]);
        assert_same(&before, &after, r#"Err("failed to download `serde`: status 404")"#, &["0ns GET"]);
    }
    let [before, after] = both(Some(0), false, || vec![fails(503, None)]);
    assert_same(&before, &after, r#"Err("failed to download `serde`: status 503")"#, &["0ns GET"]);
}

#[test]
fn a_warning_that_fails_ends_the_call() {
    let [before, after] = both(None, true, || vec![fails(503, None)]);
    assert_same(&before, &after, r#"Err("broken pipe")"#, &["0ns GET"]);
}
