use std::fmt::Display;
use std::io;

use retry_runtime::retry;

#[retry(on_status = [503])]
async fn load() -> Result<impl Display, io::Error> {
    Ok(1)
}

#[retry(on_status = [503])]
async fn load_or_why() -> Result<u32, impl Display> {
    Err::<u32, _>(io::Error::other("why"))
}

fn main() {
    let _ = (load(), load_or_why());
}
