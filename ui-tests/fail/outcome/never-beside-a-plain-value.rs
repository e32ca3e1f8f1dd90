use std::io;

use retry_runtime::retry;

#[retry(attempts = 5, on_error = "never")]
async fn load() -> io::Result<String> {
    Ok(String::new())
}

fn main() {}
