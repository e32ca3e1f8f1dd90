use retry_runtime::retry;

#[retry]
async fn load() -> Result<Page, String> {
    todo!()
}

fn main() {}
