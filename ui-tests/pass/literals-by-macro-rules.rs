use retry_runtime::retry;

macro_rules! loads {
    ($name:ident, $attempts:literal, $start:literal, $status:expr, $closure:expr, $path:path, $output:ty, $body:block) => {
        #[retry(
            attempts = $attempts,
            backoff = $path,
            deadline = $start,
            on_status = [$attempts..=$attempts, $status],
            on_error = $closure,
        )]
        async fn $name() -> $output $body
    };
}

fn second(_: &retry_runtime::Attempt) -> std::time::Duration {
    std::time::Duration::from_secs(1)
}

loads!(load, 503, "9s", 429, |error: &reqwest::Error| error.is_timeout(), second, reqwest::Result<u32>, { Ok(1) });

fn main() {
    drop(load());
}
