//! Comments on pull requests: whose, how many, and what if they may not be.

use testkit::github::{AUTHOR, Mood};
use testkit::{Answered, Sink};

use super::{Runner, Step, TEA};

fn quickview(runner: &Runner, more: &[(&str, &str)]) -> Step {
    let step = runner.step(&[&[("command", "quickview"), TEA][..], more].concat());
    assert_eq!(step.code, 0, "{}", step.log);
    step
}

#[test]
fn two_runs_write_one() {
    let runner = Runner::new();
    // It is found behind more than one page of others.
    for number in 0..230 {
        runner.github.comment(7, "ann", &format!("number {number}"));
    }
    quickview(&runner, &[]);
    for number in 0..130 {
        runner.github.comment(7, "ann", &format!("and number {number}"));
    }
    quickview(&runner, &[]);
    let ours = |runner: &Runner| {
        let all = runner.github.comments().into_iter();
        all.filter(|it| it.author == AUTHOR).collect::<Vec<_>>()
    };
    let comments = ours(&runner);
    assert_eq!((comments.len(), comments[0].changes), (1, 1), "{comments:?}");
    // Another step, another job and another image have comments of their own; another tag has not.
    let runner = runner.with("GITHUB_ACTION", "__self_2");
    quickview(&runner, &[]);
    let runner = runner.with("GITHUB_JOB", "other");
    quickview(&runner, &[]);
    quickview(&runner, &[("image", "archive://alpine.tar")]);
    assert_eq!(ours(&runner).len(), 4);
}

#[test]
fn neither_steps_nor_jobs_of_a_matrix_are_confounded() {
    let runner = Runner::new();
    let folder = |name: &str| {
        let folder = runner.sandbox.path(name);
        fs_err::create_dir_all(&folder).unwrap();
        folder.display().to_string()
    };
    let jobs = [folder("job-1"), folder("job-2")];
    let compare = |runner: &Runner, to: &str| {
        let inputs = [("command", "compare"), TEA, ("to", to), ("only-severities", "high")];
        let step = runner.step(&inputs);
        assert_eq!(step.code, 0, "{}", step.log);
    };
    // A step behind another that asks the same, of something else or in another way; and a leg of the same
    // job. Each run writes the same six, in jobs of their own.
    let mut runner = runner;
    for job in jobs {
        runner = runner.with("RUNNER_TEMP", &job).with("FORETOP_MATRIX", "null");
        quickview(&runner, &[]);
        quickview(&runner, &[]);
        quickview(&runner, &[("ignore-suppressed", "true")]);
        compare(&runner, "archive://alpine.tar");
        compare(&runner, "archive://tea.tar");
        runner = runner.with("FORETOP_MATRIX", "{\"go\": 2}");
        quickview(&runner, &[]);
    }
    let changes: Vec<u32> = runner.github.comments().iter().map(|it| it.changes).collect();
    assert_eq!(changes, [1, 1, 1, 1, 1, 1]);
}

#[test]
fn former_ones_are_kept_and_folded() {
    let runner = Runner::new();
    for _ in 0..3 {
        quickview(&runner, &[("keep-previous-comments", "true")]);
    }
    let hidden: Vec<bool> = runner.github.comments().iter().map(|it| it.hidden).collect();
    assert_eq!(hidden, [true, true, false]);
}

#[test]
fn those_of_others_are_left_alone() {
    let runner = Runner::new();
    quickview(&runner, &[]);
    let body = runner.github.comments()[0].body.clone();
    let mark = body.lines().next().unwrap();
    let foreign = runner.github.comment(7, "mallory", &format!("{mark}\nmine"));
    let quoted = runner.github.comment(7, AUTHOR, &format!("> {mark}\n> quoted"));
    for keep in ["false", "true"] {
        quickview(&runner, &[("keep-previous-comments", keep)]);
        for it in runner.github.comments().iter().filter(|it| [foreign, quoted].contains(&it.id)) {
            assert!(it.changes == 0 && !it.hidden, "{it:?}");
        }
    }
    // Whoever cannot tell who they are touches nothing.
    let before = runner.github.comments();
    runner.github.be(Mood { nameless: true, ..Mood::default() });
    let step = quickview(&runner, &[]);
    assert!(step.log.contains("Not known who writes"), "{}", step.log);
    let after = runner.github.comments();
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 1);
}

#[test]
fn one_that_may_not_be_changed_has_a_new_one_beside_it() {
    let runner = Runner::new();
    quickview(&runner, &[]);
    runner.github.lock(1);
    let step = quickview(&runner, &[]);
    assert!(step.log.contains("cannot be updated, so there is a new one"), "{}", step.log);
    let comments = runner.github.comments();
    assert_eq!((comments.len(), comments[0].changes), (2, 0));
}

#[test]
fn runs_for_forks_are_told_and_do_not_fail() {
    let runner = Runner::new();
    runner.github.be(Mood { reads_only: true, ..Mood::default() });
    let step = quickview(&runner, &[]);
    let warned = step.commands.iter().any(|it| {
        it.starts_with("::warning title=Foretop::No comment on the pull request")
            && it.contains(
                "Resource not accessible by integration; the job needs pull-requests: write",
            )
    });
    assert!(warned, "{:?}", step.commands);
    assert!(!step.summary.is_empty(), "the summary is there all the same");
}

#[test]
fn patience_is_had() {
    let runner = Runner::new();
    runner.github.be(Mood { tired: 2, tired_secondly: 1, ..Mood::default() });
    let step = quickview(&runner, &[]);
    assert_eq!(runner.github.comments().len(), 1, "{}", step.log);
    assert_eq!(step.log.matches("GitHub asks for patience").count(), 3, "{}", step.log);
    // Nobody waits for an hour.
    runner.github.be(Mood { tired: 9, patience: 3600, ..Mood::default() });
    let step = quickview(&runner, &[]);
    let said = step.commands.iter().find(|it| it.contains("No comment"));
    let said = said.unwrap_or_else(|| panic!("{:?}", step.commands));
    // Whoever has had too many requests is no fork.
    assert!(said.contains("GitHub answers 429") && !said.contains("forks"), "{said}");
}

#[test]
fn only_where_it_is_wanted() {
    let runner = Runner::new();
    quickview(&runner, &[("write-comment", "false")]);
    assert!(runner.github.asked().is_empty());
    let runner = runner.with("INPUT_GITHUB-TOKEN", "");
    let step = quickview(&runner, &[("summary", "no")]);
    assert!(step.commands.iter().any(|it| it.contains("github-token is not set")));
    assert_eq!(step.summary, "");
    let runner = runner.with("GITHUB_EVENT_NAME", "push");
    quickview(&runner, &[]);
    assert!(runner.github.asked().is_empty());
}

#[test]
fn a_github_of_ones_own() {
    let runner = Runner::new();
    let root = runner.github.root();
    let runner = runner
        .with("GITHUB_API_URL", &format!("{root}/api/v3"))
        .with("GITHUB_GRAPHQL_URL", "")
        .with("GITHUB_SERVER_URL", "https://github.example");
    quickview(&runner, &[]);
    let asked: Vec<String> = runner.github.asked().into_iter().map(|it| it.path).collect();
    assert_eq!(
        asked,
        [
            "/api/graphql",
            "/api/v3/repos/acme/tea/issues/7/comments?per_page=100&page=1",
            "/api/v3/repos/acme/tea/issues/7/comments",
        ]
    );
    // No token goes over a network in clear.
    let runner = runner.with("GITHUB_API_URL", "http://github.example/api/v3");
    let step = quickview(&runner, &[]);
    let refused = step.commands.iter().any(|it| it.contains("without encryption"));
    assert!(refused, "{:?}", step.commands);
    // Nor to another place than the repository's.
    for name in ["", "acme", "acme/tea/../..", "acme/..", "a b/c"] {
        let runner = Runner::new().with("GITHUB_REPOSITORY", name);
        let step = quickview(&runner, &[]);
        assert!(step.commands.iter().any(|it| it.contains("is no repository")), "{name}");
    }
}

#[test]
fn answers_that_make_no_sense_are_told() {
    let deep = "[".repeat(100_000);
    let bodies = [
        "",
        "<html>",
        "null",
        "1",
        "[{}]",
        "{\"data\": 1}",
        "[{\"id\": -1}]",
        "\u{0}",
        deep.as_str(),
    ];
    for body in bodies {
        let told = body.to_owned();
        let sink = Sink::answering(move |_| Answered {
            body: told.clone().into_bytes(),
            ..Answered::status(200)
        });
        let root = format!("http://{}", sink.host());
        let runner = Runner::new()
            .with("GITHUB_API_URL", &root)
            .with("GITHUB_GRAPHQL_URL", &format!("{root}/graphql"));
        let step = quickview(&runner, &[]);
        let warned = step.commands.iter().any(|it| it.contains("makes no sense"));
        let wrote = step.log.contains("Wrote a comment");
        assert!(warned || wrote, "{body:.20}: {:?} {}", step.commands, step.log);
        // What is uploaded is there when GitHub says so.
        let step = runner.step(&[
            ("command", "cves"),
            TEA,
            ("upload-sarif", "true"),
            ("write-comment", "false"),
        ]);
        assert_eq!(step.code, 1, "{body:.20}: {}", step.log);
        assert!(step.log.contains("SARIF is not uploaded"), "{body:.20}: {}", step.log);
    }
}
