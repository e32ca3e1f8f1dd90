use retry_runtime::retry;

#[retry]
async fn load(orders: Vec<String>) -> Result<String, String> {
    let mut last = String::new();
    for order in orders {
        last = order;
    }
    Ok(last)
}

fn main() {}
