use std::io;

use retry_runtime::retry;

#[retry(on_status = [503])]
async fn read(path: &str) -> io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {}
