//! SARIF within what GitHub's code scanning takes: what has no room goes, the least severe first, and the
//! document says so.
//!
//! <https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit>

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// Runs of one document.
const MOST_RUNS: usize = 20;
/// Bytes of the document, compressed.
const LARGEST: usize = 10_000_000;

/// A document that GitHub takes.
pub(super) struct Fitting {
    pub(super) text: String,
    /// What was left out.
    pub(super) remarks: Vec<String>,
    compressed: Vec<u8>,
}

impl Fitting {
    /// As it is uploaded.
    pub(super) fn in_base64(&self) -> String {
        STANDARD.encode(&self.compressed)
    }
}

/// Leaves out what is too much. `id` is what a single image's run is kept apart by from those of others.
pub(super) fn fitting(text: &str, id: &str) -> anyhow::Result<Fitting> {
    fitting_into(text, id, LARGEST)
}

fn fitting_into(text: &str, id: &str, largest: usize) -> anyhow::Result<Fitting> {
    let mut document: Value = serde_json::from_str(text).context("the SARIF makes no sense")?;
    let mut remarks = Vec::new();
    let runs = document.get_mut("runs").and_then(Value::as_array_mut);
    let runs = runs.context("the SARIF has no runs")?;
    if let [run] = runs.as_mut_slice()
        && let Some(run) = run.as_object_mut()
    {
        run.entry("automationDetails").or_insert_with(|| json!({"id": id}));
    }
    if let Some(left) = runs.len().checked_sub(MOST_RUNS).filter(|it| *it > 0) {
        leave_out_runs(runs);
        let said = format!(
            "{left} images are left out: there may be no more than {MOST_RUNS} in one document"
        );
        note(runs, &said);
        remarks.push(said);
    }
    let mut text = serde_json::to_string(&document)?;
    let mut compressed = packed(&text)?;
    if compressed.len() > largest {
        let before = document.clone();
        let order = by_severity(&document);
        let mut kept = order.len();
        while compressed.len() > largest && kept > 0 {
            // A little less than what would be right if all were alike.
            let fewer = kept.saturating_mul(largest) / compressed.len() * 19 / 20;
            kept = fewer.min(kept - 1);
            document = before.clone();
            let chosen: BTreeSet<(usize, usize)> = order.iter().take(kept).copied().collect();
            keep(&mut document, &chosen);
            let left = order.len() - kept;
            let said = format!(
                "{left} findings are left out, the least severe: the document may have no more than {largest} bytes when it is compressed"
            );
            if let Some(runs) = document.get_mut("runs").and_then(Value::as_array_mut) {
                note(runs, &said);
            }
            remarks.truncate(usize::from(remarks.first().is_some_and(|it| it.contains("images"))));
            remarks.push(said);
            text = serde_json::to_string(&document)?;
            compressed = packed(&text)?;
        }
        anyhow::ensure!(compressed.len() <= largest, "the SARIF is too large without findings");
    }
    text.push('\n');
    Ok(Fitting { text, remarks, compressed })
}

fn packed(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn rules(run: &Value) -> &[Value] {
    run.get("tool").and_then(|it| it.get("driver")).map_or(&[], |it| list(it, "rules"))
}

/// How bad a result is, in tenths: what is taken out of the way is not.
fn severity(run: &Value, result: &Value) -> i64 {
    if !list(result, "suppressions").is_empty() {
        return -1;
    }
    let number = result.get("ruleIndex").and_then(Value::as_u64).unwrap_or_default();
    let rule = usize::try_from(number).ok().and_then(|it| rules(run).get(it));
    let score = rule.and_then(|it| it.get("properties")?.get("security-severity")?.as_str());
    let score = score.and_then(|it| it.parse::<f64>().ok()).filter(|it| it.is_finite());
    score.map_or(0, |it| (it * 10.0) as i64)
}

/// Every result, by its run and its number, the most severe first.
fn by_severity(document: &Value) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for (number, run) in list(document, "runs").iter().enumerate() {
        for (place, result) in list(run, "results").iter().enumerate() {
            all.push((std::cmp::Reverse(severity(run, result)), number, place));
        }
    }
    all.sort_unstable();
    all.into_iter().map(|(_, run, place)| (run, place)).collect()
}

/// Keeps the runs with the worst in them, in their order. A run that tells of a hole may be the worst.
fn leave_out_runs(runs: &mut Vec<Value>) {
    let mut order: Vec<(usize, Vec<i64>)> = runs
        .iter()
        .enumerate()
        .map(|(number, run)| {
            let results = list(run, "results");
            let mut all: Vec<i64> = results.iter().map(|it| severity(run, it)).collect();
            all.sort_unstable_by(|left, right| right.cmp(left));
            if all.is_empty() && is_open(run) {
                all.push(i64::MAX);
            }
            (number, all)
        })
        .collect();
    order.sort_by(|left, right| right.1.cmp(&left.1));
    let kept: BTreeSet<usize> = order.into_iter().take(MOST_RUNS).map(|it| it.0).collect();
    let mut number = 0;
    runs.retain(|_| {
        number += 1;
        kept.contains(&(number - 1))
    });
}

/// Does it tell of something that is not known?
fn is_open(run: &Value) -> bool {
    list(run, "invocations").iter().flat_map(|it| list(it, "toolExecutionNotifications")).any(
        |it| {
            let text = it.get("message").and_then(|it| it.get("text")).and_then(Value::as_str);
            text.is_some_and(|it| it.starts_with("not known"))
        },
    )
}

/// Says in the first run what is left out.
fn note(runs: &mut [Value], said: &str) {
    let notifications = runs.first_mut().and_then(|run| {
        run.get_mut("invocations")?
            .get_mut(0)?
            .get_mut("toolExecutionNotifications")?
            .as_array_mut()
    });
    if let Some(notifications) = notifications {
        notifications.push(json!({"level": "error", "message": {"text": said}}));
    }
}

/// Keeps those results alone, and the rules that they name.
fn keep(document: &mut Value, chosen: &BTreeSet<(usize, usize)>) {
    let Some(runs) = document.get_mut("runs").and_then(Value::as_array_mut) else { return };
    for (number, run) in runs.iter_mut().enumerate() {
        let mut named: BTreeMap<u64, u64> = BTreeMap::new();
        if let Some(results) = run.get_mut("results").and_then(Value::as_array_mut) {
            let mut place = 0;
            results.retain(|_| {
                place += 1;
                chosen.contains(&(number, place - 1))
            });
            let numbers = results.iter().filter_map(|it| it.get("ruleIndex")?.as_u64());
            named.extend(numbers.map(|it| (it, 0)));
            for (new, (_, place)) in (0_u64..).zip(&mut named) {
                *place = new;
            }
            for result in results {
                let index = result.get_mut("ruleIndex");
                if let Some(index) = index
                    && let Some(new) = index.as_u64().and_then(|it| named.get(&it))
                {
                    *index = json!(new);
                }
            }
        }
        let rules = run
            .get_mut("tool")
            .and_then(|it| it.get_mut("driver")?.get_mut("rules")?.as_array_mut());
        if let Some(rules) = rules {
            let mut place = 0;
            rules.retain(|_| {
                place += 1;
                named.contains_key(&(place - 1))
            });
        }
    }
}

/// The name of an image without tag and digest, which are others with each commit.
pub(super) fn repository(image: &str) -> &str {
    let image = image.split_once("://").map_or(image, |it| it.1);
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        // A colon before a slash belongs to a port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of so many images, with so many findings each.
    fn document(runs: usize, results: usize) -> Value {
        let run = |number: usize| {
            let rule = |it: usize| {
                let score = format!("{}.0", (it + number) % 10);
                json!({"id": format!("R{it}"), "properties": {"security-severity": score}})
            };
            let result = |it: usize| json!({"ruleId": format!("R{it}"), "ruleIndex": it});
            json!({
                "tool": {"driver": {"rules": (0..results).map(rule).collect::<Vec<_>>()}},
                "invocations": [{"toolExecutionNotifications": []}],
                "results": (0..results).map(result).collect::<Vec<_>>(),
            })
        };
        json!({"runs": (0..runs).map(run).collect::<Vec<_>>()})
    }

    fn fitted(document: &Value, largest: usize) -> (Value, Vec<String>) {
        let it = fitting_into(&document.to_string(), "foretop/x/", largest).unwrap();
        (serde_json::from_str(&it.text).unwrap(), it.remarks)
    }

    #[test]
    fn what_fits_stays() {
        let (told, remarks) = fitted(&document(2, 3), 10_000);
        assert_eq!((told, remarks), (document(2, 3), vec![]));
        let (told, _) = fitted(&document(1, 1), 10_000);
        assert_eq!(told["runs"][0]["automationDetails"]["id"], "foretop/x/");
    }

    #[test]
    fn no_more_than_twenty_images() {
        let mut all = document(23, 1);
        // Of these nothing is known, and of those nothing is to be said.
        all["runs"][21]["results"] = json!([]);
        all["runs"][21]["invocations"][0]["toolExecutionNotifications"] =
            json!([{"level": "warning", "message": {"text": "not known: all of it"}}]);
        all["runs"][22]["results"] = json!([]);
        let (told, remarks) = fitted(&all, 100_000);
        assert_eq!(told["runs"].as_array().unwrap().len(), 20);
        assert!(remarks[0].starts_with("3 images are left out"), "{remarks:?}");
        assert!(told.to_string().contains("not known: all of it"));
        assert!(told["runs"][0].to_string().contains("3 images are left out"));
    }

    #[test]
    fn the_least_severe_go_first() {
        let all = document(2, 3000);
        let size = packed(&all.to_string()).unwrap().len();
        let (told, remarks) = fitted(&all, size / 2);
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        let mut kept = 0;
        for (number, run) in list(&told, "runs").iter().enumerate() {
            let results = list(run, "results");
            kept += results.len();
            for result in results {
                // Each still leads to its own rule.
                let index = result["ruleIndex"].as_u64().unwrap() as usize;
                assert_eq!(rules(run)[index]["id"], result["ruleId"]);
                assert!(severity(run, result) >= 40, "{number}: {result}");
            }
            let named: BTreeSet<_> = results.iter().map(|it| it["ruleIndex"].as_u64()).collect();
            assert_eq!(named.len(), rules(run).len());
        }
        assert!(kept > 2000, "{kept}");
        assert!(remarks[0].starts_with(&format!("{} findings are left out", 6000 - kept)));
    }

    #[test]
    fn names_without_tags() {
        let check = |image: &str, expect: &str| assert_eq!(repository(image), expect, "{image}");
        check("registry://localhost:5000/a/b:1@sha256:00", "localhost:5000/a/b");
        check("localhost:5000/a/b", "localhost:5000/a/b");
        check("acme/web:v1", "acme/web");
        check("", "");
    }

    #[test]
    fn junk_is_refused() {
        for junk in ["", "{}", "[]", "{\"runs\": 1}", "{\"runs\": [1]}"] {
            let told = fitting(junk, "x");
            assert!(told.is_err() || junk.contains("[1]"), "{junk}");
        }
    }
}
