use retry_runtime::retry;

struct Page;

#[retry(server_delay = |_| None)]
async fn load() -> Page {
    Page
}

fn main() {}
