use retry_runtime::Policy;

async fn load() -> Result<u32, std::io::Error> {
    Policy::new().run(|| async { Ok(1) }).await
}

fn main() {}
