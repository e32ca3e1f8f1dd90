use retry_runtime::retry;

#[retry(deadline = "5s")]
async fn load() -> reqwest::Response {
    panic!()
}

fn main() {}
