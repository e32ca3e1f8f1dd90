use retry_runtime::Condition;

const ALL: Condition = Condition::new().on_status(&[0..=999]);
const NONE: Condition = Condition::new().on_status(&[503..=500]);

fn main() {}
