//! A table format commits optimistically: if another writer has taken the version, the log is read, the commit is checked against
//! the other one, and the next version is tried. A commit that fails is aborted.

use super::{Run, Server, assert_same, run_of};

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error("version {0} exists")]
    VersionExists(u64),
    #[error("version {0} changed the same rows")]
    Conflict(u64),
    #[error("no commit after {0} attempts")]
    MaxCommitAttempts(u32),
    #[error("the store failed")]
    Store,
}

#[derive(Clone, Copy)]
enum Reply {
    Ok,
    Exists,
    Conflicts,
    Fails,
}

type Log = Server<Reply>;

async fn write_commit(log: &Log, version: u64) -> Result<(), Error> {
    match log.reply(format_args!("write {version}")) {
        Reply::Ok => Ok(()),
        Reply::Exists => Err(Error::VersionExists(version)),
        Reply::Conflicts | Reply::Fails => Err(Error::Store),
    }
}

async fn check_winner(log: &Log, version: u64) -> Result<(), Error> {
    match log.reply(format_args!("read {version}")) {
        Reply::Conflicts => Err(Error::Conflict(version)),
        _ => Ok(()),
    }
}

async fn abort_commit(log: &Log) -> Result<(), Error> {
    log.log.note("abort");
    Ok(())
}

mod before {
    use super::*;

    pub(super) async fn commit(log: &Log, read_version: u64, max_attempts: u32) -> Result<u64, Error> {
        let mut version = read_version + 1;
        for _ in 0..max_attempts {
            match write_commit(log, version).await {
                Ok(()) => return Ok(version),
                Err(Error::VersionExists(_)) => {
                    tracing::warn!("version {version} exists, trying the next one");
                    if let Err(error) = check_winner(log, version).await {
                        abort_commit(log).await?;
                        return Err(error);
                    }
                    version += 1;
                }
                Err(error) => {
                    abort_commit(log).await?;
                    return Err(error);
                }
            }
        }
        abort_commit(log).await?;
        Err(Error::MaxCommitAttempts(max_attempts))
    }
}

mod after {
    use std::time::Duration;

    use retry_runtime::policy::PolicyBuilder;
    use retry_runtime::retrying;

    use super::*;

    pub(super) async fn commit(log: &Log, read_version: u64, max_attempts: u32) -> Result<u64, Error> {
        let policy = PolicyBuilder::fixed(Duration::ZERO).attempts(max_attempts).clamp();
        let mut version = read_version;
        let outcome = retrying!(policy = policy, on_error = |e| matches!(e, Error::VersionExists(_)), async {
            version += 1;
            let outcome = write_commit(log, version).await;
            if let Err(Error::VersionExists(_)) = outcome {
                check_winner(log, version).await?;
            }
            outcome
        });
        let Err(error) = outcome.await else { return Ok(version) };
        abort_commit(log).await?;
        match error {
            Error::VersionExists(_) => Err(Error::MaxCommitAttempts(max_attempts)),
            error => Err(error),
        }
    }
}

/// Runs both forms.
async fn both(replies: &[Reply]) -> [Run; 2] {
    let log = Log::new(replies.to_vec());
    let outcome = before::commit(&log, 7, 3).await;
    let before = run_of(&outcome, &log.log);
    let log = Log::new(replies.to_vec());
    let outcome = after::commit(&log, 7, 3).await;
    [before, run_of(&outcome, &log.log)]
}

#[tokio::test(start_paused = true)]
async fn the_next_version_is_tried() {
    let [before, after] = both(&[Reply::Exists, Reply::Ok, Reply::Exists, Reply::Ok, Reply::Ok]).await;
    let notes = ["0ns write 8", "0ns read 8", "0ns write 9", "0ns read 9", "0ns write 10"];
    assert_same(&before, &after, "Ok(10)", &notes);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_is_aborted() {
    let [before, after] = both(&[Reply::Exists, Reply::Conflicts]).await;
    assert_same(&before, &after, "Err(Conflict(8))", &["0ns write 8", "0ns read 8", "0ns abort"]);
    let [before, after] = both(&[Reply::Fails]).await;
    assert_same(&before, &after, "Err(Store)", &["0ns write 8", "0ns abort"]);
    let [before, after] = both(&[Reply::Exists, Reply::Ok, Reply::Exists, Reply::Ok, Reply::Exists, Reply::Ok]).await;
    let notes = ["0ns write 8", "0ns read 8", "0ns write 9", "0ns read 9", "0ns write 10", "0ns read 10", "0ns abort"];
    assert_same(&before, &after, "Err(MaxCommitAttempts(3))", &notes);
}
