use std::rc::Rc;

use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    let count = Rc::new(1);
    std::future::ready(()).await;
    Ok(*count)
}

fn is_send(_: impl Send) {}

fn main() {
    is_send(load());
}
