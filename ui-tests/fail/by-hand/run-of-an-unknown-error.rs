use retry_runtime::Policy;

struct LoadError;

impl From<retry_runtime::TimedOut> for LoadError {
    fn from(_: retry_runtime::TimedOut) -> Self {
        LoadError
    }
}

async fn load() -> Result<u32, LoadError> {
    Policy::new().run(|_| async { Err(LoadError) }).await
}

fn main() {}
