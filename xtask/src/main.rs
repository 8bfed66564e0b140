//! The chores: `cargo xtask demo | test | tidy | codegen | fuzz | bench | screenshots | quality`.

mod arrows;
mod bench;
mod codegen;
mod demo;
mod failures;
mod fuzz;
mod needs;
mod pack;
mod quality;
mod run;
mod screenshots;
mod test;
mod tidy;

use std::process::ExitCode;

/// A chore: its name, what it does, and how.
struct Chore {
    name: &'static str,
    does: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

const ALL: &[Chore] = &[
    Chore {
        name: "demo",
        does: "build foretop, pack this machine's system into an image, list what is inside it",
        run: demo::demo,
    },
    Chore {
        name: "test",
        does: "install what tests need, then run every test and check",
        run: test::test,
    },
    Chore { name: "tidy", does: "check the house rules that no compiler knows", run: tidy::tidy },
    Chore {
        name: "codegen",
        does: "write docs/reference from the registries (--check: only compare)",
        run: codegen::codegen,
    },
    Chore {
        name: "fuzz",
        does: "run each fuzz target for a while (--seconds N, needs nightly and cargo-fuzz)",
        run: fuzz::fuzz,
    },
    Chore {
        name: "bench",
        does: "time whole processes beside the peers on PATH, write bench/README.md",
        run: bench::bench,
    },
    Chore {
        name: "screenshots",
        does: "take the pictures of docs/pictures anew, from a demo in Chromium",
        run: screenshots::screenshots,
    },
    Chore {
        name: "quality",
        does: "count labelled cases: precision and recall per space (--write: into docs/quality.md)",
        run: quality::quality,
    },
];

#[expect(clippy::print_stderr, reason = "a chore speaks to the person who runs it")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chore = arguments.first().and_then(|name| ALL.iter().find(|it| it.name == name));
    let Some(chore) = chore else {
        eprintln!("usage: cargo xtask CHORE\n");
        for chore in ALL {
            eprintln!("  {:<11} {}", chore.name, chore.does);
        }
        return ExitCode::FAILURE;
    };
    match (chore.run)(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
