use std::time::Duration;

use retry_runtime::retry;

trait Limits {
    const ATTEMPTS: u32;
    const START: Duration = Duration::from_secs(1);
    fn wait(delay: Duration) -> tokio::time::Sleep {
        tokio::time::sleep(delay)
    }
}

struct Client<T, const N: u32>(T);

impl<T: Limits, const N: u32> Client<T, N> {
    const FIRST: u16 = 500;
    const BUSY: u16 = 429;

    #[retry(attempts = N, start = T::START, on_status = [408, Self::FIRST..=599, Self::BUSY])]
    async fn of_self(&self) -> reqwest::Result<u32> {
        Ok(1)
    }

    #[retry(attempts = <T as Limits>::ATTEMPTS, delays = [<T>::START, "2s"], sleep = <T as Limits>::wait)]
    async fn qualified(&self) -> Result<u32, String> {
        Ok(1)
    }
}

impl Limits for () {
    const ATTEMPTS: u32 = 4;
}

fn main() {
    let client = Client::<(), 3>(());
    drop(client.of_self());
    drop(client.qualified());
    let () = client.0;
}
