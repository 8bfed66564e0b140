//! What stages are built from.

use std::collections::BTreeMap;

use super::*;

/// Each stage in a line: its lines, its name, and what it is built from.
#[track_caller]
fn check(text: &str, arguments: &[(&str, &str)], expect: &str) {
    let map = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
        all.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect()
    };
    let given = map(&[("TARGETARCH", "arm64"), ("TARGETPLATFORM", "linux/arm64")]);
    let told = match Dockerfile::read(text, &map(arguments), &given) {
        Ok(file) => file.stages.iter().map(told).collect(),
        Err(why) => format!("{why}\n"),
    };
    assert_eq!(told, expect);
}

fn told(stage: &Stage) -> String {
    let from = match &stage.from {
        From::Scratch => "scratch".to_owned(),
        From::Stage(at) => format!("stage {at}"),
        From::Image(name) => name.clone(),
        From::Unknown(why) => format!("? {why}"),
    };
    let platform = stage.platform.as_ref().map(|it| format!(" for {it}")).unwrap_or_default();
    let name = stage.name.as_deref().unwrap_or("-");
    format!("{}-{} {name} {from}{platform}\n", stage.lines.start(), stage.lines.end())
}

#[test]
fn one_stage() {
    check("FROM debian:12\nRUN true\n", &[], "1-2 - debian:12\n");
    check("# syntax=docker/dockerfile:1\n\nfrom scratch\n", &[], "3-3 - scratch\n");
    check("FROM --platform=$TARGETPLATFORM debian", &[], "1-1 - debian for linux/arm64\n");
}

#[test]
fn several_stages() {
    let text = "FROM golang:1.26 AS Build\nRUN <<EOF\nFROM no\nEOF\n\n# The second.\nFROM build\n\
                RUN a \\\n  b\nFROM scratch\nCOPY --from=build /a /a\n";
    check(text, &[], "1-4 build golang:1.26\n7-9 - stage 0\n10-11 - scratch\n");
}

#[test]
fn variables_are_put_in() {
    let text = |from: &str| format!("ARG A=1 B=\"${{A}}2\"\nARG C\nFROM {from}\nARG A=9\n");
    let image = |from: &str, arguments: &[(&str, &str)], expect: &str| {
        check(&text(from), arguments, &format!("3-4 - {expect}\n"));
    };
    image("a:$A", &[], "a:1");
    image("a:${B}-$TARGETARCH", &[], "a:12-arm64");
    image("a:$B", &[("A", "3")], "a:32");
    image("a:$A$C", &[("C", "c"), ("D", "d")], "a:1c");
    image("a:${C:-x}${C-y}${A:+z}${C:+q}", &[], "a:xyz");
    image("a:${C:-$B}", &[], "a:12");
    image("a:${C:-${A}}", &[], "a:1");
    image("'a:$A'", &[], "a:$A");
    image("$C", &[], "? `$C` is empty");
    image("a:${A%1}", &[], "? what `${A%1}` stands for cannot be told");
}

#[test]
fn what_is_none_is_told() {
    check("", &[], "it cannot be read: expected at least one FROM instruction\n");
    check("RUN true\nFROM a\n", &[], "it cannot be read: expected FROM at line 1 column 1\n");
}

#[test]
fn a_target_is_found() {
    let text = "FROM a AS one\nFROM b AS two\nFROM one\n";
    let file = Dockerfile::read(text, &BTreeMap::new(), &BTreeMap::new()).unwrap();
    let bottom =
        |target: Option<&str>| file.target(target).map(|it| file.bottom(it).written.clone());
    assert_eq!(bottom(None).as_deref(), Some("a"));
    assert_eq!(bottom(Some("")).as_deref(), Some("a"));
    assert_eq!(bottom(Some("TWO")).as_deref(), Some("b"));
    assert_eq!(bottom(Some("1")).as_deref(), Some("b"));
    assert_eq!(bottom(Some("three")), None);
}
