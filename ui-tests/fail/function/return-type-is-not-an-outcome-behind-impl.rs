use retry_runtime::retry;

#[retry]
async fn load() -> impl Iterator<Item = u32> {
    [1].into_iter()
}

fn main() {}
