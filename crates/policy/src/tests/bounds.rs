//! Rego that loops, allocates, recurses: each is unknown, soon, and nothing else suffers.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::*;

fn limits() -> Limits {
    Limits { time: Duration::from_millis(300), ..Limits::default() }
}

fn patient(rules: &str, expect: &str) {
    let limits = Limits { time: Duration::from_secs(20), ..Limits::default() };
    let told = verdict(&policy(rules), &facts(image()), &World::default(), &limits);
    assert!(shown(&told).starts_with(expect), "{rules:.60} {}", shown(&told));
}

fn check(rules: &str, expect: &str) {
    let begun = Instant::now();
    let told = verdict(&policy(rules), &facts(image()), &World::default(), &limits());
    assert!(shown(&told).starts_with(expect), "{}", shown(&told));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn loops() {
    check(
        "violation contains x if {\n\tsome x in numbers.range(1, 100000)\n\t\
         some y in numbers.range(1, 100000)\n\tx == y + 1000000\n}",
        "unknown: it takes longer than 300ms",
    );
    check(
        "f(x) := y if {\n\tsome a in x\n\tsome b in x\n\tsome c in x\n\ty := a + b + c\n\ty < 0\n}\n\
         violation contains 1 if f(numbers.range(1, 2000)) == 3",
        "unknown: it takes longer than 300ms",
    );
    check(
        "n := numbers.range(1, 3000)\nx := [a | some a in n; some b in n; some c in n; b == c]\n\
         violation contains 1 if count(x) == 1",
        "unknown: it takes longer than 300ms",
    );
}

#[test]
fn recursion() {
    check(
        "f(x) := f(x + 1)\nviolation contains 1 if f(1)",
        "unknown: its function `f` calls itself",
    );
    check(
        "f(x) := g(x)\ng(x) := data.docker.scout.f(x)\nviolation contains 1 if f(1)",
        "unknown: its function `f` calls itself",
    );
    check(
        "h(x) := x\nf(x) := y if {\n\ty := h(x) with h as f\n}\nviolation contains 1 if f(1)",
        "unknown: its function `f` calls itself",
    );
    check(
        "f(x) := [y | some y in x; f(y)]\nviolation contains 1 if f([1])",
        "unknown: its function `f` calls itself",
    );
    check("a := b\nb := a\nviolation contains 1 if a", "unknown: ");
    check("f(x) := a\na := f(1)\nviolation contains 1 if a", "unknown: ");
    check("violation contains 1 if data.docker.scout.pass", "unknown: ");
}

#[test]
fn allocation() {
    let much = "unknown: it makes ";
    patient("violation contains 1 if count(numbers.range(1, 1000000000000)) > 1", much);
    patient(
        "violation contains 1 if count(sprintf(\"%999999999999d\", [1])) > 1",
        "unknown: a.rego:9: `sprintf` pads",
    );
    patient(
        "violation contains count(x) if { x := bits.lsh(1, 4000000000) }",
        "unknown: a.rego:9: `bits.lsh` shifts",
    );
    let mut doubled = "x0 := \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n".to_owned();
    let mut listed = "y0 := [1]\n".to_owned();
    let mut shared = "z0 := [1]\n".to_owned();
    for at in 0..60 {
        let next = at + 1;
        let _ = writeln!(doubled, "x{next} := concat(\"\", [x{at}, x{at}])");
        let _ = writeln!(listed, "y{next} := array.concat(y{at}, y{at})");
        let _ = writeln!(shared, "z{next} := [z{at}, z{at}]");
    }
    patient(&format!("{doubled}violation contains 1 if x60"), much);
    patient(&format!("{listed}violation contains 1 if y60"), much);
    // A value that holds another one twice is small, until somebody looks at all of it.
    patient(
        &format!("{shared}violation contains 1 if json.marshal(z60)"),
        "unknown: it gives `json.marshal`",
    );
    patient(
        &format!("{shared}violation contains sprintf(\"%v\", [z60])"),
        "unknown: it writes out",
    );
    patient(&format!("{shared}violation contains p if walk(z60, [p, _])"), much);
    patient(
        &format!("{shared}violation contains {{\"message\": \"x\", \"detail\": z60}}"),
        "unknown: it says more than",
    );
    patient(&format!("{shared}violation contains 1 if print(z60)"), "unknown: it says more than");
    let long = "violation contains y if {\n\tx := concat(\"\", [s | some _ in numbers.range(1, 20000); s := \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"])\n\t\
        some n in numbers.range(1, 10000)\n\ty := concat(\"\", [x, sprintf(\"%d\", [n])])\n}";
    patient(long, much);
}

#[test]
fn a_step_that_does_not_end_is_left_behind() {
    // Two values that share all their parts, and differ at the end: to compare them takes for ever.
    let mut rules = "a0 := [1]\nb0 := [2]\n".to_owned();
    for at in 0..27 {
        let next = at + 1;
        let _ = writeln!(
            rules,
            "a{next} := [[1, a0], a{at}, a{at}]\nb{next} := [[1, a0], a{at}, b{at}]"
        );
    }
    let other = policy("violation contains \"other\"");
    let slow = format!(
        "# METADATA\n# custom:\n#   name: slow\n#   weight: 1\n{}",
        policy(&format!("{rules}violation contains 1 if a27 < b27"))
    );
    let set =
        Set::read([Module::file("slow.rego", slow), Module::file("other.rego", other)]).unwrap();
    let limits = Limits { time: Duration::from_millis(5), ..Limits::default() };
    let begun = Instant::now();
    let verdicts =
        judge(&set, &Config::default(), &facts(image()), &World::default(), &limits).unwrap();
    assert!(shown(&verdicts[0]).starts_with("unknown: "), "{}", shown(&verdicts[0]));
    assert_eq!(shown(&verdicts[1]), "not met\nother");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn depth() {
    // The longest chains that are let in, nested as deeply as they may be.
    let chain = |each: &dyn Fn(usize) -> String| -> String { (0..290).map(each).collect() };
    let (open, close) = ("abs(".repeat(12), ")".repeat(12));
    let rules = chain(&|it| format!("r{} := {open}r{it}{close}\n", it + 1));
    patient(&format!("r0 := 1\n{rules}violation contains sprintf(\"%d\", [r290])"), "not met\n1");
    let functions = chain(&|it| format!("f{}(x) := {open}f{it}(x){close}\n", it + 1));
    patient(
        &format!("f0(x) := x\n{functions}violation contains \"x\" if f290(1) == 1"),
        "not met\nx",
    );
    check(
        &(0..400).fold(String::new(), |all, it| format!("{all}r{it} := 1\n")),
        "unknown: it has 402 rules",
    );
    let nested = format!("x := {}1{}", "[".repeat(5000), "]".repeat(5000));
    let refused = Set::read([Module::file("a", policy(&nested))]).unwrap_err();
    assert!(refused.to_string().starts_with("cannot read the policy `a`: "), "{refused}");
    let long = format!("x := {}", vec!["1"; 5000].join("+"));
    assert!(Set::read([Module::file("a", policy(&long))]).is_err());
    assert!(Set::read([Module::file("a", " ".repeat(2 << 20))]).is_err());
    let dots = format!("x := input{}", ".a".repeat(1900));
    let _ = Set::read([Module::file("a", policy(&dots))]);
}

#[test]
fn violations_and_prints_and_questions() {
    let limits = Limits { violations: 3, prints: 2, questions: 5, ..Limits::default() };
    let many =
        policy("violation contains sprintf(\"%05d\", [n]) if some n in numbers.range(1, 20000)");
    let told = verdict(&many, &facts(image()), &World::default(), &limits);
    assert_eq!((told.count, shown(&told)), (20000, "not met\n00001\n00002\n00003".to_owned()));
    let loud = policy(
        "violation contains n if {\n\tsome n in numbers.range(1, 9)\n\tprint(n)\n\tn > 10\n}",
    );
    let set = Set::read([Module::file("a.rego", loud)]).unwrap();
    let config = Config { debug: true, ..Config::default() };
    let told = judge(&set, &config, &facts(image()), &World::default(), &limits).unwrap().remove(0);
    assert_eq!(
        told.prints,
        ["docker.scout#11: 1", "docker.scout#11: 2", "docker.scout: and 7 lines more"]
    );
    let asking = policy(
        "violation contains d if { some n in numbers.range(1, 9); d := oci.image_digest(sprintf(\"a%d\", [n])) }",
    );
    let told = verdict(&asking, &facts(image()), &World::default(), &limits);
    assert_eq!(shown(&told), "unknown: it asks more than 5 questions");
}
