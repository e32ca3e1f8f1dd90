use retry_runtime::retry;

mod reqwest {
    pub struct Response;
    #[derive(Debug)]
    pub struct Error;
    impl std::fmt::Display for Error {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Ok(())
        }
    }
    impl std::error::Error for Error {}
    pub type Result<T> = std::result::Result<T, Error>;
}

#[retry(on_status = [503])]
async fn fetch() -> reqwest::Result<reqwest::Response> {
    Ok(reqwest::Response)
}

fn main() {}
