use retry_runtime::{Breaker, retry};

struct Client {
    budget: u32,
    breaker: Option<Breaker>,
}

impl Client {
    #[retry(budget = self.budget)]
    async fn load(&self) -> Result<u32, std::io::Error> {
        Ok(1)
    }

    #[retry(breaker = self.breaker)]
    async fn read(&self) -> Result<u32, std::io::Error> {
        Ok(1)
    }

    #[retry(budget = self.budgets)]
    async fn write(&self) -> Result<u32, std::io::Error> {
        Ok(1)
    }
}

fn main() {}
