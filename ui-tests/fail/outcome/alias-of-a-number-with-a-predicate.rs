use retry_runtime::retry;

type Number = u32;

#[retry(on_ok = |number| *number > 1)]
async fn load() -> Number {
    1
}

fn main() {}
