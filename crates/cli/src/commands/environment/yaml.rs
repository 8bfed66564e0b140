//! YAML of the user's, as values, within bounds: who writes it may be somebody else.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;

/// Bytes of the largest file.
const LARGEST: u64 = 32 << 20;

/// How deep one thing may lie in another.
const DEEPEST: usize = 64;
const STACK: usize = 64 << 20;

/// Every document of a file; `-` is stdin.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Value>> {
    let refuse = |why: String| {
        let what = format!("cannot read {}: {why}", path.display());
        Failure::error(what, "it should be YAML, or JSON")
    };
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        let file = fs_err::File::open(path).map_err(|error| {
            Failure::error(error.to_string(), "name a file that is there, or - for what comes in")
        })?;
        file.take(LARGEST + 1).read_to_end(&mut bytes)
    }
    .map_err(|error| refuse(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(refuse(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    parse(&bytes).map_err(refuse)
}

/// The same, of bytes.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    // What is nested is read by functions that call themselves: they are given room for it.
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn_scoped(scope, || bounded(text));
        let reader = reader.map_err(|error| format!("no thread for it: {error}"))?;
        reader.join().unwrap_or_else(|_| Err("its reader broke off".to_owned()))
    })
}

fn bounded(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_aliases: 10_000,
            max_anchors: 1_000,
            max_nodes: 1_000_000,
            max_documents: 10_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
            max_replay_stack_depth: 16,
        },
    };
    let all: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn what_is_too_much() {
        let check = |text: &str| assert!(parse(text.as_bytes()).is_err(), "{text:.60}");
        check(&"[".repeat(100_000));
        check(&format!("{}1{}", "{a: ".repeat(200), "}".repeat(200)));
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, former) in ('b'..='k').zip('a'..) {
            let ten = vec![format!("*{former}"); 10].join(", ");
            let _ = writeln!(bomb, "{name}: &{name} [{ten}]");
        }
        check(&bomb);
        check("a: [");
        assert!(parse(b"\xff").is_err());
        assert_eq!(parse(b"a: 1\n---\nb: 2\n").unwrap().len(), 2);
        assert!(parse(b"").unwrap().is_empty());
    }
}
