#![deny(warnings)]

use retry_runtime::retrying;

/// An error without any trait but `Send`, which the task needs.
pub struct Plain;

async fn get(log: &mut Vec<u32>) -> Result<u32, Plain> {
    log.push(1);
    Ok(1)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let task = runtime.spawn(retrying!(attempts = 3, async move || -> Result<u32, Plain> {
        let mut log = Vec::new();
        get(&mut log).await
    }));
    let lends = runtime.spawn(async {
        let mut log = Vec::new();
        let number = retrying!(async { get(&mut log).await }).await;
        number.map(|number| number as usize + log.len())
    });
    assert!(matches!(runtime.block_on(task), Ok(Ok(1))));
    assert!(matches!(runtime.block_on(lends), Ok(Ok(2))));
}
