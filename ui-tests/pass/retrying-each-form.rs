#![deny(warnings)]

use retry_runtime::{Policy, retrying};

async fn get(url: &str) -> Result<u32, String> {
    url.parse().map_err(|_| url.to_owned())
}

pub async fn forms(url: &str, mut count: u32) -> Result<u32, String> {
    let first = retrying!(async { get(url).await }).await?;
    let second = retrying!(attempts = 3, async move { get(url).await },).await?;
    let third = retrying!(attempts = 3, start = "1s", async || -> Result<u32, String> {
        count += 1;
        Ok(get(url).await? + count)
    })
    .await?;
    let fourth = retrying! { attempts = 3, async |attempt| get(url).await.map(|n| n + attempt.number()) }.await?;
    let fifth = retrying![policy = Policy::new(), async |_| get(url).await].await?;
    Ok(first + second + third + fourth + fifth + count)
}

pub fn blocking_forms(path: &str) -> std::io::Result<usize> {
    let text = retrying!(blocking, attempts = 3, || std::fs::read(path))?;
    let more = retrying!(blocking, on_error = |error| error.raw_os_error().is_some(), move |attempt| -> std::io::Result<u32> {
        std::fs::write(path, "")?;
        Ok(attempt.number())
    })?;
    Ok(text.len() + more as usize)
}

fn main() {
    drop(forms("1", 2));
    let _ = blocking_forms("no/such/file");
}
