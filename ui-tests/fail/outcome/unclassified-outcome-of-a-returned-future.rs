use retry_runtime::retry;

struct Page;

#[retry]
fn load() -> impl Future<Output = Page> + Send {
    async { Page }
}

fn main() {}
