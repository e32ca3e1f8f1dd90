//! The queue in a file: nothing to install, for the workers of one machine.

use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqliteStorage};

use crate::charge::{Api, Charge, charge};
use crate::durable_retry::PutOff;
use crate::{HEARTBEAT, JobRow, MISSED_HEARTBEATS, POLL, QUEUE, Queue, durable_retry};

#[derive(Clone)]
pub(crate) struct Sqlite(SqlitePool);

impl PutOff for Sqlite {
    async fn put_off(&self, job: &ExecutionContext, delay: Duration) -> Result<(), BoxDynError> {
        // The column has whole seconds. Rounded up, because an attempt must not come too early.
        let due = SystemTime::now().duration_since(UNIX_EPOCH)?.saturating_add(delay);
        let due = due.as_secs() + u64::from(due.subsec_nanos() > 0);
        sqlx::query("UPDATE Jobs SET run_at = ?1 WHERE id = ?2 AND lock_by = ?3")
            .bind(i64::try_from(due)?)
            .bind(job.task_id().map(ToString::to_string))
            .bind(job.lock_by())
            .execute(&self.0)
            .await?;
        Ok(())
    }
}

impl Queue for Sqlite {
    /// Opens the file with the settings of a database that outlives a crash. `SqliteStorage::setup` would set `synchronous = OFF`,
    /// which may lose jobs when the power fails.
    async fn open(url: &str) -> Result<Self, BoxDynError> {
        let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
        let pool =
            SqlitePool::connect_with(options.pragma("journal_mode", "WAL").pragma("synchronous", "FULL")).await?;
        SqliteStorage::migrations().run(&pool).await?;
        Ok(Self(pool))
    }

    async fn push(&self, job: Task<Charge>) -> Result<(), BoxDynError> {
        Ok(self.storage().push_task(job).await?)
    }

    async fn work(&self, name: &str, api: Api) -> Result<(), BoxDynError> {
        let worker = WorkerBuilder::new(name)
            .backend(self.storage().poll_with_interval(POLL))
            .data(api)
            .build(durable_retry(self).layer(task_fn(charge)));
        Ok(worker.run().await?)
    }

    async fn jobs(&self) -> Result<Vec<JobRow>, BoxDynError> {
        let query = "SELECT json_extract(CAST(job AS TEXT), '$.customer'), status, attempts, \
                     CAST(run_at - unixepoch() AS INTEGER) FROM Jobs ORDER BY id";
        Ok(sqlx::query_as(query).fetch_all(&self.0).await?)
    }
}

impl Sqlite {
    fn storage(&self) -> SqliteStorage<Charge> {
        let config = Config::default().queue(QUEUE).heartbeat_interval(HEARTBEAT).missed_heartbeats(MISSED_HEARTBEATS);
        SqliteStorage::new(&self.0).with_config(config)
    }
}
