use retry_runtime::retrying;

fn call() -> std::io::Result<Vec<u8>> {
    retrying!(blocking, std::fs::read("a"))
}

fn main() {}
