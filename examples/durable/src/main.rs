//! Retries that survive a restart. See `README.md`.
//!
//! ```text
//! retry-durable push URL CUSTOMER    puts a charge into the queue
//! retry-durable work URL API         runs a worker, until it is stopped
//! retry-durable jobs URL             lists the jobs
//! ```
//!
//! `URL` is `sqlite:FILE` or, with the feature `postgres`, `postgres://…`. `API` is the address of the payment service.

mod charge;
mod durable_retry;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, process};

use apalis::prelude::{BoxDynError, Task, TaskBuilder};
use retry_runtime::Condition;

use crate::charge::{Api, Charge, POLICY, classify};
use crate::durable_retry::{DurableRetry, PutOff};

const QUEUE: &str = "charges";

/// Another worker takes over the jobs of a dead one after this many missed heartbeats. Short, to show it. By default it takes 60 s with
/// SQLite and 300 s with PostgreSQL.
const HEARTBEAT: Duration = Duration::from_secs(1);
const MISSED_HEARTBEATS: usize = 3;

/// Without it, a worker looks for jobs that are due only with its heartbeat.
const POLL: Duration = Duration::from_millis(500);

/// The customer, the status, the attempts so far, and the seconds until the job is due.
type JobRow = (String, String, i64, i64);

/// The operations of this program on a database.
trait Queue: PutOff {
    async fn open(url: &str) -> Result<Self, BoxDynError>;
    async fn push(&self, job: Task<Charge>) -> Result<(), BoxDynError>;
    async fn work(&self, name: &str, api: Api) -> Result<(), BoxDynError>;
    async fn jobs(&self) -> Result<Vec<JobRow>, BoxDynError>;
}

fn durable_retry<Q: PutOff>(queue: &Q) -> DurableRetry<Q> {
    DurableRetry { policy: POLICY, condition: Condition::new(), classify, queue: queue.clone() }
}

/// A job whose attempts only the policy counts. Without `max_attempts`, apalis stops after 25.
fn job(customer: &str) -> Task<Charge> {
    TaskBuilder::new(Charge { customer: customer.to_owned() }).max_attempts(i32::MAX as usize).build()
}

/// The name of a worker, new at each start. With a name that was alive shortly before, the worker does not start (SQLite), or
/// keeps the jobs that the dead one was running locked (PostgreSQL).
fn worker_name() -> String {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |start| start.as_nanos());
    format!("{QUEUE}-{}-{start}", process::id())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxDynError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.get(1).and_then(|url| url.split(':').next()) {
        #[cfg(feature = "sqlite")]
        Some("sqlite") => run::<sqlite::Sqlite>(&arguments).await,
        #[cfg(feature = "postgres")]
        Some("postgres") => run::<postgres::Postgres>(&arguments).await,
        _ => Err(USAGE.into()),
    }
}

const USAGE: &str = "usage: retry-durable push URL CUSTOMER | work URL API | jobs URL";

async fn run<Q: Queue>(arguments: &[&str]) -> Result<(), BoxDynError> {
    match *arguments {
        ["push", url, customer] => Q::open(url).await?.push(job(customer)).await,
        ["work", url, api] => Q::open(url).await?.work(&worker_name(), Api(api.into())).await,
        ["jobs", url] => {
            for (customer, status, attempts, due) in Q::open(url).await?.jobs().await? {
                let due = if status == "Failed" { format!(", due in {due} s") } else { String::new() };
                println!("charge {customer}: {status}, {attempts} attempts{due}");
            }
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}
