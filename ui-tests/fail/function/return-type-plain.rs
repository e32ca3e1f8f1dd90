use retry_runtime::retry;

#[retry]
async fn count() -> u32 {
    1
}

#[retry]
async fn pair() -> (u32, String) {
    (1, String::new())
}

fn main() {}
