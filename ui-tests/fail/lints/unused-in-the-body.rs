#![deny(unused_assignments, unused_must_use, path_statements, unused_parens)]

use retry_runtime::retry;

#[retry]
pub async fn load() -> Result<u32, std::io::Error> {
    let mut n = 0;
    n = 1;
    n;
    let m = (n + 1);
    Ok(m)
}

fn main() {}
