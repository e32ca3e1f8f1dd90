//! The queue on a server, for the workers of several machines.

use std::time::Duration;

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};

use crate::charge::{Api, Charge, charge};
use crate::durable_retry::PutOff;
use crate::{HEARTBEAT, JobRow, MISSED_HEARTBEATS, POLL, QUEUE, Queue, durable_retry};

#[derive(Clone)]
pub(crate) struct Postgres(PgPool);

impl PutOff for Postgres {
    async fn put_off(&self, job: &ExecutionContext, delay: Duration) -> Result<(), BoxDynError> {
        // By the server's clock, because those of several machines differ.
        let query = "UPDATE apalis.jobs SET run_at = clock_timestamp() + make_interval(secs => $1) \
                     WHERE id = $2 AND lock_by = $3";
        sqlx::query(query)
            .bind(delay.as_secs_f64())
            .bind(job.task_id().map(ToString::to_string))
            .bind(job.lock_by())
            .execute(&self.0)
            .await?;
        Ok(())
    }
}

impl Queue for Postgres {
    async fn open(url: &str) -> Result<Self, BoxDynError> {
        let pool = PgPool::connect(url).await?;
        PostgresStorage::setup(&pool).await?;
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
        let query = "SELECT convert_from(job, 'UTF8')::json ->> 'customer', status, attempts::bigint, \
                     extract(epoch FROM run_at - now())::bigint FROM apalis.jobs ORDER BY id";
        Ok(sqlx::query_as(query).fetch_all(&self.0).await?)
    }
}

impl Postgres {
    fn storage(&self) -> PostgresStorage<Charge> {
        let config = Config::default().queue(QUEUE).heartbeat_interval(HEARTBEAT).missed_heartbeats(MISSED_HEARTBEATS);
        PostgresStorage::new(&self.0).with_config(config)
    }
}
