use retry_runtime::retry;

fn send(_: String) -> u32 {
    1
}

#[retry]
async fn load(order: String) -> Result<u32, String> {
    Ok(send(order))
}

fn main() {}

// https://github.com/etcdv3/etcd-client/issues/18
