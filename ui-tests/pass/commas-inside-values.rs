use std::collections::HashMap;

use retry_runtime::{Policy, retry};

fn choose<A, B>(_: A, _: B) -> Policy {
    Policy::new()
}

#[retry(
    policy = choose::<HashMap<u32, u32>, _>(HashMap::new(), (1, 2)),
    on_error = |error: &HashMap<u32, u32>| -> bool { error.len() > 3 },
    on_ok = |(first, _)| *first < 1,
    server_delay = |(first, second)| first.checked_sub(*second).map(|_| ::std::time::Duration::new(1, 0)),
    name = "commas, and = in a name",
)]
async fn load() -> Result<(u32, u32), HashMap<u32, u32>> {
    Ok((1, 2))
}

fn main() {
    drop(load());
}
