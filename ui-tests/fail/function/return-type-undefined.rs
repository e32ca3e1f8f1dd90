use retry_runtime::retry;

#[retry]
async fn load() -> Result<Page, String> {
    panic!()
}

fn main() {}
