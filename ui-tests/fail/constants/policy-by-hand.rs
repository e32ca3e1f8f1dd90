use std::time::Duration;

use retry_runtime::{Jitter, Policy};

const NEVER: Policy = Policy::new().attempts(0);
const SHRINKING: Policy = Policy::new().factor(0.5);
const CAPPED: Policy = Policy::fixed(Duration::from_secs(9)).max_delay(Duration::from_secs(1));
const SHAKY: Policy = Policy::new().jitter(Jitter::Share(20.0));
const HASTY: Policy = Policy::fixed(Duration::from_secs(9)).deadline(Duration::from_secs(1));
const LINEAR: Policy = Policy::linear(Duration::from_secs(9)).factor(2.0);

fn main() {}
