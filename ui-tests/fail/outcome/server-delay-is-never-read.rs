use std::time::Duration;

use retry_runtime::retry;

struct Page {
    wait: Option<Duration>,
}

#[retry(server_delay = |page| page.wait)]
async fn load() -> Result<Page, String> {
    Ok(Page { wait: None })
}

#[retry(server_delay = |page| page.wait)]
async fn find() -> Option<Page> {
    None
}

fn main() {}
