use retry_runtime::retry;

struct Page;

#[retry(attempts = 5)]
async fn load() -> Page {
    Page
}

#[retry(blocking)]
fn read() -> Vec<u8> {
    Vec::new()
}

fn main() {}
