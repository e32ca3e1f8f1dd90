use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(status = 0)]
    Refused(Code),
}

struct Code(u16);

impl From<Code> for u16 {
    fn from(code: Code) -> u16 {
        code.0
    }
}

fn main() {}
