use retry_runtime::retry;

#[retry]
fn load(id: u32) -> impl Future<Output = Result<u32, String>> {
    let next = id + 1;
    async move { Ok(next) }
}

fn main() {}
