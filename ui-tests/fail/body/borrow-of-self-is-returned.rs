use retry_runtime::retry;

struct Cache(Vec<u32>);

impl Cache {
    #[retry]
    async fn first(&mut self) -> Result<&mut u32, String> {
        self.0.first_mut().ok_or_else(String::new)
    }
}

fn main() {}
