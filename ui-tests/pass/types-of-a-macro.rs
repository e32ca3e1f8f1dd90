//! The expansion repeats the return type in the body, where it must have the same meaning.

pub struct Error;

macro_rules! loads {
    ($name:ident) => {
        #[retry_runtime::retry]
        async fn $name() -> Result<impl Iterator<Item = u32>, $crate::Error> {
            Ok([1].into_iter())
        }
    };
}

mod inside {
    pub type Error = u32;
    loads!(load);
    pub fn run() {
        drop(load());
    }
}

fn main() {
    inside::run();
    let _: inside::Error = 3;
}
