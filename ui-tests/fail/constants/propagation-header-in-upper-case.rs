use retry_runtime::propagation::Propagation;

const OWN: Propagation = Propagation::new().time_left_header("X-Time-Left-Ms");

fn main() {
    let _ = OWN;
}
