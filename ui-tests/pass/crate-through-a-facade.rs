// A crate that does not depend on `retry_runtime` directly, so the expansion must not contain `::retry_runtime`.
mod facade {
    pub mod retry_runtime {
        pub use ::retry_runtime::*;
    }
    pub use ::retry_runtime as renamed;
}

use std::sync::atomic::{AtomicU32, Ordering};

use facade::retry_runtime::retry;

static CALLS: AtomicU32 = AtomicU32::new(0);

fn third() -> Result<u32, Fault> {
    match CALLS.fetch_add(1, Ordering::Relaxed) {
        n if n % 3 == 2 => Ok(n),
        _ => Err(Fault::Busy),
    }
}

#[derive(Debug, facade::retry_runtime::Retryable)]
#[retryable(crate = facade::retry_runtime)]
enum Fault {
    #[retryable(transient)]
    Busy,
}

#[retry(start = "0s", crate = facade::retry_runtime)]
async fn relative() -> Result<u32, Fault> {
    third()
}

#[retry(start = "0s", jitter = "full", on_error = "transient", crate = crate::facade::renamed)]
async fn renamed() -> Result<u32, Fault> {
    third()
}

mod inner {
    #[super::retry(start = "0s", crate = super::facade::retry_runtime)]
    pub(super) async fn from_above() -> Result<u32, super::Fault> {
        super::third()
    }
}

macro_rules! exported {
    ($name:ident) => {
        #[retry(start = "0s", crate = $crate::facade::retry_runtime)]
        async fn $name() -> Result<u32, Fault> {
            third()
        }
    };
}

exported!(by_a_macro);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert_eq!(runtime.block_on(relative()).unwrap(), 2);
    assert_eq!(runtime.block_on(renamed()).unwrap(), 5);
    assert_eq!(runtime.block_on(inner::from_above()).unwrap(), 8);
    assert_eq!(runtime.block_on(by_a_macro()).unwrap(), 11);
}
