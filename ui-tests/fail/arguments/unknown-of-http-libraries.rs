use retry_runtime::retry;

#[retry(
    total = 3,
    backoff_factor = 0.5,
    status_forcelist = [503],
    allowed_methods = ["GET"],
    raise_for_status = true,
    evaluate_response_callback = is_empty,
    start_timeout = 1,
    max_times = 3,
    before_sleep = log,
    reraise = true
)]
async fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
