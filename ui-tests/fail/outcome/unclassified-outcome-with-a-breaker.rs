use retry_runtime::retry;

static API: retry_runtime::Breaker = retry_runtime::Breaker::new();

struct Page;

#[retry(breaker = API, hedge = "50ms")]
async fn load() -> Page {
    Page
}

fn main() {}
