use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

fn spawn<F: Future + Send + 'static>(_: F) {}

fn call() {
    let names = vec!["a"];
    spawn(retrying!(async { get().await.map(|n| n as usize + names.len()) }));
}

fn main() {}
