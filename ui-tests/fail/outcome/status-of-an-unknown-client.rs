use retry_runtime::retry;

mod ureq {
    #[derive(Debug)]
    pub struct Error(pub u16);
    impl std::fmt::Display for Error {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "http status: {}", self.0)
        }
    }
    impl std::error::Error for Error {}
}

#[retry(blocking, on_status = [503])]
fn fetch() -> Result<String, ureq::Error> {
    Err(ureq::Error(503))
}

fn main() {}
