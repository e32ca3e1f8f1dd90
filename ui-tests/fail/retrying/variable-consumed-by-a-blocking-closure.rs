use retry_runtime::retrying;

fn call() -> Result<u32, String> {
    let order = String::from("a");
    retrying!(blocking, || {
        drop(order);
        Ok::<_, String>(1)
    })
}

fn main() {}
