use retry_runtime::retry;

trait Loads: Future<Output = Result<u32, String>> {}
impl<F: Future<Output = Result<u32, String>>> Loads for F {}

async fn get() -> Result<u32, String> {
    Ok(1)
}

#[retry]
fn load() -> impl Loads {
    async {
        let number = get().await?;
        Ok(number)
    }
}

fn main() {}
