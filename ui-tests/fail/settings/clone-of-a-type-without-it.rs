use retry_runtime::retry;

struct Ticket;

#[retry(clone = [ticket])]
async fn load(ticket: Ticket) -> Result<u32, String> {
    drop(ticket);
    Ok(1)
}

fn main() {}
