// Only the names of this crate are in scope, and some of them are misleading.
#![no_implicit_prelude]

mod alloc {}
mod core {}
mod retry_runtime {}
mod std {}
mod tokio {}

use ::core::result::Result::{self, Err, Ok};
use ::core::sync::atomic::{AtomicU32, Ordering};
use ::retry_runtime::retry;

type Outcome<T> = Result<T, ::std::io::Error>;

static CALLS: AtomicU32 = AtomicU32::new(0);

fn third() -> Outcome<u32> {
    match CALLS.fetch_add(1, Ordering::Relaxed) {
        n if n % 3 == 2 => Ok(n),
        _ => Err(::std::io::Error::other("not yet")),
    }
}

#[retry(start = "0s")]
async fn plain() -> Outcome<u32> {
    third()
}

static BUDGET: ::retry_runtime::Budget = ::retry_runtime::Budget::new();

#[retry(
    start = "0s", jitter = "full", factor = 3, max_delay = "1s", on_status = [429, "5xx"], on_error = "any",
    on_ok = |n| *n == 0, retry_after = "1s", server_delay = |_| ::core::option::Option::None, drain_limit = 0, deadline = "1m", attempt_timeout = "1s", bind = attempt, clone = [text],
    name = "all", budget = BUDGET, nested = "once"
)]
async fn all(text: ::std::string::String) -> Outcome<u32> {
    ::core::mem::drop(text);
    ::core::assert_eq!(attempt.number(), CALLS.load(Ordering::Relaxed) % 3 + 1);
    third()
}

#[retry(delays = ["0s"], attempts = 3, on_error = |_| true)]
async fn by_list() -> Outcome<u32> {
    third()
}

#[retry(blocking, backoff = "fixed", start = "0s")]
fn blocks() -> Outcome<u32> {
    third()
}

#[retry(policy = ::retry_runtime::Policy::fixed(::core::time::Duration::ZERO))]
fn returned() -> impl ::core::future::Future<Output = Outcome<u32>> {
    async { third() }
}

#[derive(::core::fmt::Debug, ::retry_runtime::Retryable)]
#[allow(dead_code)]
enum Fault {
    #[retryable(transient, server_delay = after)]
    Busy { after: ::core::time::Duration },
    #[retryable(permanent)]
    Gone,
    #[retryable(status = 0)]
    Status(u16),
    #[retryable(source)]
    Io(::std::io::Error),
}

#[retry(start = "0s")]
async fn derived() -> Result<u32, Fault> {
    third().map_err(Fault::Io)
}

fn main() {
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    ::core::assert_eq!(runtime.block_on(plain()).unwrap(), 2);
    ::core::assert_eq!(runtime.block_on(all(::std::string::String::new())).unwrap(), 5);
    ::core::assert_eq!(runtime.block_on(by_list()).unwrap(), 8);
    ::core::assert_eq!(blocks().unwrap(), 11);
    ::core::assert_eq!(runtime.block_on(returned()).unwrap(), 14);
    ::core::assert_eq!(runtime.block_on(derived()).unwrap(), 17);
}
