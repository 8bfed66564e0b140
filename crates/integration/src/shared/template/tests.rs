//! What templates may say, and what they cost.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn angles(it: char, out: &mut String) {
    match it {
        '<' => *out += "&lt;",
        _ => out.push(it),
    }
}

fn filled(source: &str, dress: Dress) -> String {
    let mut message = full();
    message.facts[0].lines[1] = "<b>\u{202e}".to_owned();
    let token = Some(Secret::new("s3cret-t0ken"));
    match Template::new("template", source, dress, token) {
        Ok(template) => template.fill(&message).unwrap_or_else(|why| format!("fault: {why}")),
        Err(error) => format!("refused: {}", error.why()),
    }
}

#[test]
fn texts() {
    let check = |source: &str, expect: &str| {
        assert_eq!(filled(source, Dress::Text(angles)), expect, "{source}");
    };
    check("{{ title }}!", "CVE-2021-44228 (critical) runs in production!");
    check("{{ environments }}", "production, staging");
    check("{{ environments|join(' + ') }}", "production + staging");
    check(
        "{{ environments[0] }} {{ environments|length }}",
        "refused: the template fails: undefined value in line 1",
    );
    check("{{ environments|first|default('none') }}", "production");
    check(
        "{% for it in facts %}{{ it.name }}: {{ it.lines|join(' ') }}{% endfor %}",
        "Runs in: team/app:1 &lt;b>",
    );
    check(
        "x{% if severity == 'critical' or severity == \"high\" %} now{% else %} later{% endif -%}  y",
        "x nowy",
    );
    check("{{ severity|map(critical='error', other='info') }}", "error");
    check("{{ kind|map(finding_new='new', other='info') }}", "new");
    check("{{ detail.advisory|lower }} {# not said #}{{ 'a}}b' }}", "cve-2021-44228 a}}b");
    check("{{ title|truncate(8)|upper }}", "CVE-202…");
    check("{ %} }} {x}", "{ %} }} {x}");
}

#[test]
fn bodies() {
    let check = |source: &str, expect: &str| {
        assert_eq!(filled(source, Dress::Json), expect, "{source}");
    };
    check("{\"text\": {{ text }}}", "{\"text\": \"It is \\\"exploited\\\".\"}");
    check("{\"text\": {{ text|tojson }}}", "{\"text\": \"It is \\\"exploited\\\".\"}");
    check(
        "{\"key\": {{ token }}, \"all\": {{ environments }}}",
        "{\"key\": \"s3cret-t0ken\", \"all\": [\"production\",\"staging\"]}",
    );
    check(
        "{\"text\": \"{{ text }}\"}",
        "refused: what the template says is no JSON: at line 1, column 12",
    );
    check("{{ detail }}", "{\"advisory\":\"CVE-2021-44228\"}");
}

#[test]
fn what_makes_no_sense_is_told_when_it_is_configured() {
    let check = |source: &str, expect: &str| {
        assert_eq!(filled(source, Dress::Text(bare)), format!("refused: {expect}"), "{source}");
    };
    check("{{ titel }}", "the template fails: undefined value in line 1");
    check("\n{{ title", "line 2: a block has no end");
    check("{{ 'a }}", "line 1: a block has no end");
    check("{# a", "line 1: a comment has no end");
    check(
        "{% if title %}",
        "the template fails: syntax error: unexpected end of input, expected end of block in line 1",
    );
    check(
        "{{ title|reverse }}",
        "the template fails: unknown filter: filter reverse is unknown in line 1",
    );
    check("{{ title() }}", "the template fails: invalid operation in line 1");
    check("  ", "the template says nothing");
    for block in [
        "set a = 1",
        "macro a()",
        "include 'a'",
        "raw",
        "with a = title",
        "block a",
        "autoescape false",
        "filter upper",
    ] {
        let word = block.split(' ').next().unwrap();
        check(
            &format!("{{%- {block} %}}"),
            &format!("line 1: `{word}` is none of if, elif, else, endif, for, endfor"),
        );
    }
}

/// None of these may take more than a moment, or more memory than what it says.
#[test]
fn what_would_cost_much_is_refused() {
    let nested = |count: usize| {
        let open = "{% for a in facts %}".repeat(count);
        format!("{open}{{{{ plain }}}}{}", "{% endfor %}".repeat(count))
    };
    for source in [
        "{{ title * 1000000000 }}",
        "{{ title ~ title }}",
        "{{ title + title }}",
        "{% for a in [title, title] %}{{ a }}{% endfor %}",
        "{% for a in (title, title) %}{{ a }}{% endfor %}",
        "{% for a in range(1000000) %}x{% endfor %}",
        "{% for a in facts recursive %}{{ loop(facts) }}{% endfor %}",
        "{{ {'a': title} }}",
        "{{ 10 ** 10 }}",
        "{{ title[::2] }}",
        &nested(80),
        &"{{ plain }}".repeat(5000),
    ] {
        let begun = Instant::now();
        let found = filled(source, Dress::Text(bare));
        assert!(found.starts_with("refused: "), "{source}: {found}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{source}");
    }
    // With a message of one fact it is cheap; with one of many it ends.
    let template = Template::new("template", &nested(8), Dress::Text(bare), None).unwrap();
    let mut message = full();
    message.facts = vec![message.facts[0].clone(); 1000];
    let begun = Instant::now();
    let why = template.fill(&message).unwrap_err();
    assert!(why == "the template says too much" || why.contains("fuel"), "{why}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// What is long may be deep for who reads it. A thread that runs out of its stack takes all others along.
#[test]
fn what_would_be_deep_is_refused() {
    let long = |count: usize| {
        [
            format!("{{{{ title{} }}}}", "|trim".repeat(count)),
            format!("{{{{ detail{} }}}}", ".a".repeat(count)),
            format!("{{{{ facts{} }}}}", "[0]".repeat(count)),
            format!("{{{{ {}title }}}}", "not ".repeat(count)),
            format!("{{{{ title{} }}}}", " and title".repeat(count)),
            format!("{{{{ title{} }}}}", " == title".repeat(count)),
            format!("{{{{ title{} }}}}", " if title".repeat(count)),
            format!("{{% if title %}}x{}{{% endif %}}", "{% elif title %}x".repeat(count)),
            format!("{}x{}", "{% if title %}".repeat(count), "{% endif %}".repeat(count)),
        ]
    };
    for source in long(400).into_iter().chain(long(3000)) {
        let found = filled(&source, Dress::Text(bare));
        assert!(found.starts_with("refused: "), "{source}: {found}");
    }
    let short = &long(40)[0];
    assert_eq!(filled(short, Dress::Text(bare)), "CVE-2021-44228 (critical) runs in production");
    assert_eq!(filled(&long(40)[7], Dress::Text(bare)), "x");
}

proptest! {
    #[test]
    fn no_template_panics(source in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|if|for|in|title|facts|[ -~é\n]|\\|join|\\(|\\)|\\[|\\]|\"|'|endif|endfor){0,40}") {
        for dress in [Dress::Text(angles), Dress::Json] {
            prop_assert!(filled(&source, dress).len() <= MOST + 200);
        }
    }
}
