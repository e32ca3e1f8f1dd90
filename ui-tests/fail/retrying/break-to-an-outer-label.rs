use retry_runtime::retrying;

async fn get() -> Result<u32, String> {
    Ok(1)
}

async fn call() -> Option<u32> {
    'pages: loop {
        let page = retrying!(async {
            if get().await.is_err() {
                break 'pages None;
            }
            get().await
        });
        break 'pages page.await.ok();
    }
}

fn main() {}
