use retry_runtime::verdict;

fn judge(outcome: std::io::Result<u32>) {
    let _ = verdict!(outcome);
}

fn main() {}
