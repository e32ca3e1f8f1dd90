//! Names that are made at run time do not fill the memory. A binary of its own, for it uses up the names of its process.

use retry_runtime::{Executor, Policy, report};

const POLICY: Policy = Policy::new();

#[test]
fn a_thousand_names_are_told_apart() {
    for round in 1..=2 {
        for number in 0..1500 {
            Executor::new(&POLICY).named(&format!("order {number}")).succeed(());
        }
        let report = report();
        assert_eq!(report.rows.len(), 1001);
        let others = report.rows.iter().find(|row| row.name == "(others)").unwrap();
        assert_eq!(others.calls, 500 * round);
        assert!(report.rows.iter().all(|row| row.calls == round || row.name == "(others)"));
    }
}
