use retry_runtime::retrying;

use std::rc::Rc;

async fn get() -> Result<u32, String> {
    Ok(1)
}

fn spawn<F: Future + Send + 'static>(_: F) {}

fn call() {
    spawn(retrying!(async move {
        let number = Rc::new(1);
        get().await.map(|n| n + *number)
    }));
}

fn main() {}
