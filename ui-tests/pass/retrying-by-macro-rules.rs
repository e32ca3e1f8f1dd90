#![deny(warnings)]

use retry_runtime::retrying;

macro_rules! again {
    ($attempts:literal, $start:expr, $body:expr) => {
        retrying!(attempts = $attempts, start = $start, $body)
    };
}

macro_rules! block {
    ($($key:ident = $value:expr,)* => |$attempt:ident| -> $outcome:ty $body:block) => {
        retrying!($($key = $value,)* async |$attempt| -> $outcome $body)
    };
}

fn main() {
    let one = again!(3, "1s", async { Ok::<_, String>(1) });
    let two = block!(attempts = 3, start = "1s", => |attempt| -> Result<u32, String> { Ok(attempt.number()) });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(async { Ok::<_, String>(one.await? + two.await?) }), Ok(2));
}
