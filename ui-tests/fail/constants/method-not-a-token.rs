use retry_runtime::Condition;

const EMPTY: Condition = Condition::new().methods(&["GET", ""]);
const TWO_IN_ONE: Condition = Condition::new().methods(&["GET, POST"]);

fn main() {}
