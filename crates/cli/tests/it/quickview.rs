//! `foretop quickview`.

use crate::cves::with_statements;
use crate::teahouse::timeless;

#[test]
fn a_few_lines() {
    let sandbox = with_statements();
    let lines = [
        "quickview archive://tea.tar",
        "qv --vex-location vex archive://tea.tar",
        "quickview --ignore-suppressed --vex-location vex archive://tea.tar",
        "quickview -o report.txt archive://alpine.tar",
        "quickview -o missing/report.txt archive://alpine.tar",
    ];
    insta::assert_snapshot!(timeless(&sandbox.transcript(&lines)));
}
