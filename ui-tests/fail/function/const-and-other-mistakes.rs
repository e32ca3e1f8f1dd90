use retry_runtime::retry;

#[retry(attempts = 0)]
const fn load() -> u32 {
    1
}

fn main() {}
