use retry_runtime::retry;

#[retry]
fn load() -> impl Future<Output = Result<u32, String>> + Send {
    async move { Some(1) }
}

fn main() {}
