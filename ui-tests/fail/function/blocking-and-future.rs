use retry_runtime::retry;

#[retry(blocking)]
fn load() -> impl Future<Output = Result<u32, String>> {
    async { Ok(1) }
}

fn main() {}
