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

#[test]
fn for_comments() {
    let sandbox = with_statements();
    let lines = [
        "quickview --format markdown archive://tea.tar",
        "quickview --format text --format markdown=tea.md --ignore-suppressed --vex-location vex archive://tea.tar",
        "quickview --format json archive://tea.tar",
        "quickview --format markdown --format text archive://tea.tar",
    ];
    insta::assert_snapshot!(timeless(&sandbox.transcript(&lines)));
    let written = fs_err::read_to_string(sandbox.path("tea.md")).unwrap();
    assert!(written.starts_with("<h2>:mag: <code>tea.tar</code></h2>"), "{written}");
    // Of all that runs somewhere, each has a line.
    for archive in ["tea", "alpine"] {
        sandbox.foretop(&format!("push archive://{archive}.tar"));
        let said = sandbox.foretop(&format!("env production example/{archive}:1"));
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    let said = sandbox.foretop("quickview --env production --format markdown");
    insta::assert_snapshot!("for_comments_of_several", timeless(&said));
}
