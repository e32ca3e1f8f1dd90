use retry_runtime::retry;

#[retry]
fn load() -> impl Future<Output = ()> + Send {
    async move {}
}

fn main() {}
