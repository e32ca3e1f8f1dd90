use retry_runtime::retrying;

fn call() -> Result<u32, String> {
    loop {
        let _ = retrying!(blocking, || {
            break;
            Ok::<u32, String>(1)
        });
    }
}

fn main() {}
