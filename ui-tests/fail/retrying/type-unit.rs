use retry_runtime::retrying;

async fn call() -> () {
    retrying!(async || -> () {}).await
}

fn main() {}
