//! Cost of a policy that is looked up for each call, compared with a constant policy, if the call succeeds after one wait.

use std::hint::black_box;
use std::time::Duration;

use retry_runtime::{Policy, retry};

use crate::calls::{Outcome, operation};
use crate::measure::{current_thread, poll_to_end};
use crate::options;

const POLICY: Policy = Policy::exponential(Duration::from_millis(10))
    .attempts(4)
    .max_delay(Duration::from_secs(1))
    .budget(|| &options::API);

static ONE: Policy = POLICY;

retry_runtime::policies! {
    static OF_CODE { search: Policy::new(), mail: Policy::new(), billing: POLICY }
}
retry_runtime::policies! {
    static LOADED { search: Policy::new(), mail: Policy::new(), billing: POLICY }
}

macro_rules! functions {
    ($($name:literal: $function:ident($($arguments:tt)*);)*) => {
        $(
            #[retry($($arguments)*)]
            async fn $function(x: u64) -> Outcome {
                operation::waiting(x).await
            }
        )*

        /// Returns the functions, each with the size of its future.
        fn sizes() -> Vec<(&'static str, usize)> {
            vec![$(($name, size_of_val(&$function(1)))),*]
        }

        pub(crate) fn repeat(name: &str, times: u64) {
            LOADED.load(serde_json::json!({ "billing": { "attempts": 5 } })).unwrap();
            let runtime = current_thread();
            let _entered = runtime.enter();
            match name {
                $($name => (0..times).for_each(|i| poll_to_end($function(black_box(i)))),)*
                _ => unreachable!("unknown function `{name}`"),
            }
        }
    };
}
functions! {
    "from the attribute": constant(attempts = 4, start = "10ms", max_delay = "1s", budget = options::API);
    "policy = &ONE": borrowed(policy = &ONE);
    "policy = ONE": copied(policy = ONE);
    "policy = OF_CODE.billing": of_code(policy = OF_CODE.billing);
    "policy = LOADED.billing": loaded(policy = LOADED.billing);
}

/// Prints a line for each function.
pub(crate) fn compare() {
    println!("\n{:<46}{:>14}{:>10}", "success after one wait, policy", "instructions", "bytes");
    options::lines("policy", sizes());
}
