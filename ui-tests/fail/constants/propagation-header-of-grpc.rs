use retry_runtime::propagation::Propagation;

const OWN: Propagation = Propagation::grpc().time_left_header("x-time-left");

fn main() {
    let _ = OWN;
}
