//! Retry budgets that many processes share through Redis.
//!
//! ```no_run
//! use retry_redis::RedisStore;
//! use retry_runtime::Budget;
//!
//! static API: Budget = Budget::leased(1);
//!
//! # async fn start() -> redis::RedisResult<()> {
//! let store = RedisStore::new("redis://127.0.0.1/", "retry-budget:api")?;
//! tokio::spawn(API.lease_from(store));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::fmt;

use redis::aio::MultiplexedConnection;
use redis::{Client, IntoConnectionInfo, RedisError, RedisResult};
use retry_runtime::fleet::{Lease, LeaseRequest, LeaseStore};
use tokio::sync::Mutex;

/// Adds the credit to the pool and takes a lease from it. Redis runs a script in one step.
///
/// A value that is not a number, or out of range, counts as an empty pool: errors fall on the strict side.
const SCRIPT: &str = r"
local capacity = tonumber(ARGV[3])
local value = redis.call('GET', KEYS[1])
local pool = capacity
if value then pool = tonumber(value) or 0 end
if not (pool >= 0 and pool <= 4294967295) then pool = 0 end
pool = math.min(capacity, math.floor(pool) + tonumber(ARGV[1]))
local granted = math.min(pool, tonumber(ARGV[2]))
redis.call('SET', KEYS[1], pool - granted, 'PX', ARGV[4])
return {granted, pool - granted}
";

/// A pool of tokens in one key of a Redis server, for [`Budget::lease_from`](retry_runtime::Budget::lease_from).
///
/// Give each budget its own key. All processes of a fleet use the same key, with the same capacity.
///
/// It connects with the first request, so a service can start while Redis is away. After an error, or a request that took too long, the
/// next request opens a new connection: the old one may still deliver the answer of another request.
pub struct RedisStore {
    client: Client,
    key: String,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl RedisStore {
    /// Creates a store. It does not connect yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the address is invalid.
    pub fn new(address: impl IntoConnectionInfo, key: impl Into<String>) -> RedisResult<Self> {
        Ok(Self { client: Client::open(address)?, key: key.into(), connection: Mutex::new(None) })
    }
}

impl LeaseStore for RedisStore {
    type Error = RedisError;

    async fn lease(&self, request: LeaseRequest) -> RedisResult<Lease> {
        let mut kept = self.connection.lock().await;
        // Taken, and put back only after an answer. If this future is dropped, the connection is dropped with it.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.client.get_multiplexed_async_connection().await?,
        };
        let time_to_live = u64::try_from(request.time_to_live.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("EVAL");
        command.arg(SCRIPT).arg(1).arg(&self.key);
        command.arg(request.credit).arg(request.want).arg(request.capacity).arg(time_to_live);
        // A negative number is an error of the conversion.
        let (granted, left) = command.query_async::<(u32, u32)>(&mut connection).await?;
        *kept = Some(connection);
        Ok(Lease { granted, left })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("key", &self.key).finish_non_exhaustive()
    }
}
