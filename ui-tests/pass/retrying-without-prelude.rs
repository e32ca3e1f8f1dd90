#![no_implicit_prelude]
#![deny(warnings)]

pub fn read(path: &::std::path::Path) -> ::std::io::Result<::std::vec::Vec<u8>> {
    ::retry_runtime::retrying!(blocking, attempts = 3, clone = [path], || ::std::fs::read(path))
}

pub async fn get() -> ::std::option::Option<u32> {
    ::retry_runtime::retrying!(attempts = 3, hedge = "1s", bind = attempt, async {
        ::std::option::Option::Some(attempt.number())
    })
    .await
}

fn main() {
    let _ = read(::std::path::Path::new("no/such/file"));
    ::std::mem::drop(get());
}
