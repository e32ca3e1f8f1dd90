//! A database driver's pool connects with backoff until the user's `connect_timeout` has passed. It holds a permit, which the
//! connection consumes. A connection that the user's `after_connect` rejects is closed, and the pool connects again.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, Server, assert_same, run_of};

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error("connection refused")]
    Refused,
    #[error("the database is starting up")]
    StartingUp,
    #[error("wrong password")]
    Password,
    #[error("after_connect: {0}")]
    AfterConnect(&'static str),
    #[error("the pool timed out")]
    PoolTimedOut,
}

impl Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Refused | Self::StartingUp | Self::AfterConnect(_))
    }
}

/// Not `Clone`: a connection consumes it.
#[derive(Debug)]
struct Permit;

#[derive(Debug)]
#[expect(dead_code, reason = "compared by its `Debug`")]
struct Live {
    raw: Raw,
    permit: Permit,
}

#[derive(Debug)]
struct Raw(&'static str);

enum Reply {
    Connected(&'static str),
    Fails(Error),
    Hangs,
}

struct Pool {
    server: Server<Reply>,
}

impl Pool {
    async fn connect_raw(&self) -> Result<Raw, Error> {
        match self.server.reply("connect") {
            Reply::Connected(name) => Ok(Raw(name)),
            Reply::Fails(error) => Err(error),
            Reply::Hangs => std::future::pending().await,
        }
    }

    async fn after_connect(&self, raw: &mut Raw) -> Result<(), Error> {
        if raw.0 == "replica" { Err(Error::AfterConnect("read-only")) } else { Ok(()) }
    }

    async fn close_hard(&self, raw: Raw) {
        self.server.log.note(format_args!("close {}", raw.0));
    }
}

const START: Duration = Duration::from_millis(10);

mod before {
    use super::*;

    pub(super) async fn connect(pool: &Pool, connect_timeout: Duration, permit: Permit) -> Result<Live, Error> {
        let deadline = Instant::now() + connect_timeout;
        let mut delay = START;
        loop {
            match tokio::time::timeout_at(deadline, pool.connect_raw()).await {
                Ok(Ok(mut raw)) => match pool.after_connect(&mut raw).await {
                    Ok(()) => return Ok(Live { raw, permit }),
                    Err(error) => {
                        tracing::error!("error returned from after_connect: {error}");
                        pool.close_hard(raw).await;
                    }
                },
                Ok(Err(error)) if error.is_transient() => tracing::info!("{error}, retrying in {delay:?}"),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(Error::PoolTimedOut),
            }
            if Instant::now() + delay >= deadline {
                return Err(Error::PoolTimedOut);
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(connect_timeout / 5);
        }
    }
}

mod after {
    use retry_runtime::policy::PolicyBuilder;
    use retry_runtime::{TimedOut, retrying};

    use super::*;

    impl From<TimedOut> for Error {
        fn from(_: TimedOut) -> Self {
            Self::PoolTimedOut
        }
    }

    pub(super) async fn connect(pool: &Pool, connect_timeout: Duration, permit: Permit) -> Result<Live, Error> {
        let policy = PolicyBuilder::exponential(START).unlimited().max_delay(connect_timeout / 5);
        // Clamped, a deadline of zero would be no deadline.
        let policy = policy.deadline(connect_timeout.max(Duration::from_nanos(1))).clamp();
        let outcome = retrying!(policy = policy, on_error = Error::is_transient, async || -> Result<Raw, Error> {
            let mut raw = pool.connect_raw().await?;
            if let Err(error) = pool.after_connect(&mut raw).await {
                pool.close_hard(raw).await;
                return Err(error);
            }
            Ok(raw)
        });
        match outcome.await {
            Ok(raw) => Ok(Live { raw, permit }),
            Err(error) if error.is_transient() => Err(Error::PoolTimedOut),
            Err(error) => Err(error),
        }
    }
}

/// Runs both forms, and also returns how long they take.
async fn both(connect_timeout: u64, replies: fn() -> Vec<Reply>) -> [Run; 2] {
    let connect_timeout = Duration::from_millis(connect_timeout);
    let pool = Pool { server: Server::new(replies()) };
    let outcome = before::connect(&pool, connect_timeout, Permit).await;
    pool.server.log.note("end");
    let before = run_of(&outcome, &pool.server.log);
    let pool = Pool { server: Server::new(replies()) };
    let outcome = after::connect(&pool, connect_timeout, Permit).await;
    pool.server.log.note("end");
    [before, run_of(&outcome, &pool.server.log)]
}

#[tokio::test(start_paused = true)]
async fn it_connects_when_the_database_has_started() {
    let [before, after] = both(1000, || {
        vec![
            Reply::Fails(Error::Refused),
            Reply::Fails(Error::StartingUp),
            Reply::Connected("replica"),
            Reply::Connected("primary"),
        ]
    })
    .await;
    let notes = ["0ns connect", "10ms connect", "30ms connect", "30ms close replica", "70ms connect", "70ms end"];
    assert_same(&before, &after, r#"Ok(Live { raw: Raw("primary"), permit: Permit })"#, &notes);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_may_be_shorter_than_any_delay() {
    for connect_timeout in [0, 1, 5] {
        let [before, after] = both(connect_timeout, || vec![Reply::Fails(Error::Refused)]).await;
        assert_same(&before, &after, "Err(PoolTimedOut)", &["0ns connect", "0ns end"]);
    }
    let [before, after] = both(100, || (0..7).map(|_| Reply::Fails(Error::Refused)).collect()).await;
    let notes =
        ["0ns connect", "10ms connect", "30ms connect", "50ms connect", "70ms connect", "90ms connect", "90ms end"];
    assert_same(&before, &after, "Err(PoolTimedOut)", &notes);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_cut_off_at_the_deadline() {
    let [before, after] = both(100, || vec![Reply::Fails(Error::Refused), Reply::Hangs]).await;
    assert_same(&before, &after, "Err(PoolTimedOut)", &["0ns connect", "10ms connect", "100ms end"]);
}

#[tokio::test(start_paused = true)]
async fn other_errors_end_the_call() {
    let [before, after] = both(100, || vec![Reply::Fails(Error::Password)]).await;
    assert_same(&before, &after, "Err(Password)", &["0ns connect", "0ns end"]);
}
