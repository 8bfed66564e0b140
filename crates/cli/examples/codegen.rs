//! Writes `docs/reference`; with `--check` only says whether that would change anything.

use std::path::Path;
use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "a chore says what it does")]
fn main() -> ExitCode {
    let check = std::env::args().any(|it| it == "--check");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let mut stale = false;
    for (name, text) in cli::reference::pages() {
        let path = folder.join(name);
        if fs_err::read_to_string(&path).is_ok_and(|it| it == text) {
            continue;
        }
        if check {
            eprintln!("docs/reference/{name} is stale: run `cargo xtask codegen`");
            stale = true;
        } else {
            fs_err::create_dir_all(&folder).expect("the workspace can be written to");
            fs_err::write(&path, text).expect("the workspace can be written to");
            eprintln!("wrote docs/reference/{name}");
        }
    }
    ExitCode::from(u8::from(stale))
}
