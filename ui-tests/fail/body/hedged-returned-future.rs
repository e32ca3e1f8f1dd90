use retry_runtime::retry;

struct Client(u32);

impl Client {
    #[retry(hedge = "50ms")]
    fn load(&mut self) -> impl Future<Output = Result<u32, String>> {
        async move {
            self.0 += 1;
            Ok(self.0)
        }
    }
}

fn main() {}
