use retry_runtime::Attempt;
use retry_runtime::propagation::Propagation;

fn get(client: &reqwest::Client, attempt: &Attempt) {
    let mut request = client.get("https://example.com");
    Propagation::new().decorate(&mut request, attempt);
}

fn main() {}
