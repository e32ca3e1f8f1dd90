use retry_runtime::verdict;

struct Page;

fn judge(page: Page) {
    let _ = verdict!(&page);
}

fn main() {}
