//! Constants of a generic type. The compiler evaluates them where the function is used.

use std::time::Duration;

use retry_runtime::retry;

trait Service {
    const LATE: Duration;
    const MOST: u32;
}

struct Client<S>(S);

impl<S: Service> Client<S> {
    #[retry(hedge = S::LATE, hedge_max = S::MOST, attempt_timeout = "1s")]
    async fn load(&self) -> std::io::Result<u32> {
        Ok(7)
    }
}

struct Replicas;

impl Service for Replicas {
    const LATE: Duration = Duration::from_millis(50);
    const MOST: u32 = 3;
}

fn main() {
    drop(Client(Replicas).load());
}
