//! Documents of every kind, read: data in, text out.

use std::fmt::Write as _;

use proptest::prelude::*;

use crate::{ALL, read};

/// `STATUS FLAWS in PRODUCTS [of PARTS] (why; note; by author; until)`.
fn shown(bytes: &str) -> String {
    let mut text = String::new();
    match read("doc", bytes.as_bytes()) {
        Err(why) => writeln!(text, "unreadable: {why}").unwrap(),
        Ok(read) => {
            for it in read.statements {
                write!(text, "{} {}", it.status.as_str(), it.flaws.join("=")).unwrap();
                for product in &it.products {
                    write!(text, " in {}", product.names.join("|")).unwrap();
                    if let Some(versions) = &product.versions {
                        write!(text, " {versions}").unwrap();
                    }
                    for part in &product.parts {
                        write!(text, " part {}", part.join("|")).unwrap();
                    }
                }
                let more = [&it.justification, &it.note, &it.author, &it.said, &it.expires];
                for it in more.into_iter().flatten() {
                    write!(text, "; {it}").unwrap();
                }
                text.push('\n');
            }
            for gap in read.gaps {
                writeln!(text, "gap: {gap}").unwrap();
            }
        }
    }
    text
}

#[track_caller]
fn check(document: &str, expect: &str) {
    assert_eq!(shown(document), expect);
}

#[test]
fn openvex_of_today() {
    check(
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://x/1","author":"A <a@b>","timestamp":"2024-01-01T00:00:00Z","version":1,
        "statements":[{"vulnerability":{"name":"CVE-2023-1","aliases":["GHSA-1"]},"products":[{"@id":"pkg:docker/app@1.0","subcomponents":[{"@id":"pkg:deb/debian/zlib1g"}]}],
        "status":"not_affected","justification":"vulnerable_code_not_present","impact_statement":"not compiled in"}]}"#,
        "not_affected CVE-2023-1=GHSA-1 in pkg:docker/app@1.0 part pkg:deb/debian/zlib1g; vulnerable_code_not_present; not compiled in; A <a@b>; 2024-01-01T00:00:00Z\n",
    );
}

#[test]
fn openvex_of_old_and_one_sentence_that_makes_no_sense() {
    check(
        r#"{"@context":"https://openvex.dev/ns","author":"a","statements":[
        {"vulnerability":"CVE-2020-2","products":["pkg:oci/app"],"subcomponents":["pkg:npm/x@1"],"status":"fixed"},
        {"vulnerability":{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2020-3"},"status":"under_investigation"},
        {"vulnerability":"CVE-2020-4","status":"perhaps"},
        {"vulnerability":{},"status":"fixed"},
        7]}"#,
        "fixed CVE-2020-2 in pkg:oci/app part pkg:npm/x@1; a\n\
         under_investigation CVE-2020-3; a\n\
         gap: doc, statement 3: `perhaps` is no status\n\
         gap: doc, statement 4: it names no flaw\n\
         gap: doc, statement 5: it makes no sense: invalid type: integer `7`, expected struct Entry at line 1 column 1\n",
    );
}

#[test]
fn csaf_with_relationships_and_flags() {
    check(
        r#"{"document":{"category":"csaf_vex","csaf_version":"2.0","publisher":{"name":"Acme"},"tracking":{"id":"1","current_release_date":"2024-02-02T00:00:00Z"}},
        "product_tree":{"branches":[{"branches":[{"product":{"name":"App 1","product_id":"A1","product_identification_helper":{"purl":"pkg:oci/app@sha256:1"}}}]},
          {"product":{"name":"zlib","product_id":"Z","product_identification_helper":{"purl":"pkg:rpm/acme/zlib@1"}}}],
          "relationships":[{"category":"default_component_of","full_product_name":{"name":"zlib in App","product_id":"A1:Z"},"product_reference":"Z","relates_to_product_reference":"A1"}]},
        "vulnerabilities":[{"cve":"CVE-1","product_status":{"known_not_affected":["A1:Z"],"known_affected":["A1","Q"],"recommended":["A1"]},
          "flags":[{"label":"component_not_present","product_ids":["A1:Z"]}],"threats":[{"category":"impact","details":"gone","product_ids":["A1:Z"]}]},{"product_status":{}}]}"#,
        "affected CVE-1 in pkg:oci/app@sha256:1|App 1; Acme; 2024-02-02T00:00:00Z\n\
         not_affected CVE-1 in pkg:oci/app@sha256:1|App 1 part pkg:rpm/acme/zlib@1|zlib; component_not_present; gone; Acme; 2024-02-02T00:00:00Z\n\
         gap: doc, CVE-1: the product `Q` is not in its product tree\n\
         gap: doc, vulnerability 2: it has neither a CVE nor another id\n",
    );
}

#[test]
fn cyclonedx_with_an_analysis() {
    check(
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2024-01-01T00:00:00Z","authors":[{"name":"me"}],"component":{"bom-ref":"app","name":"app","version":"1"}},
        "components":[{"bom-ref":"x","name":"lodash","version":"4","purl":"pkg:npm/lodash@4"}],
        "vulnerabilities":[{"id":"CVE-1","references":[{"id":"GHSA-1"}],"analysis":{"state":"false_positive","justification":"code_not_reachable","detail":"never called"},"affects":[{"ref":"x","versions":[{"range":"vers:npm/<5"}]},{"ref":"urn:cdx:1/1#pkg:npm%2Fy@1"}]},
        {"id":"CVE-2","affects":[{"ref":"x"}]},{"id":"CVE-3","analysis":{"state":"maybe"}},
        {"id":"CVE-4","analysis":{"state":"resolved"},"affects":[{"ref":"app"}]}]}"#,
        "not_affected CVE-1=GHSA-1 in pkg:npm/lodash@4|lodash@4 vers:npm/<5 in pkg:npm/y@1; code_not_reachable; never called; me; 2024-01-01T00:00:00Z\n\
         fixed CVE-4 in app@1; me; 2024-01-01T00:00:00Z\n\
         gap: doc, vulnerability 3: `maybe` is no state\n",
    );
}

#[test]
fn an_in_toto_statement_names_the_image_itself() {
    check(
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"pkg:docker/app@1","digest":{"sha256":"ab"}}],
        "predicateType":"https://openvex.dev/ns/v0.2.0","predicate":{"@context":"https://openvex.dev/ns/v0.2.0","author":"a",
        "statements":[{"vulnerability":{"name":"CVE-1"},"status":"fixed"},{"vulnerability":{"name":"CVE-2"},"products":["pkg:npm/x"],"status":"fixed"}]}}"#,
        "fixed CVE-1 in pkg:docker/app@1|sha256:ab; a\nfixed CVE-2 in pkg:npm/x; a\n",
    );
    check(
        r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","predicate":{"_type":"https://in-toto.io/Statement/v1"}}"#,
        "unreadable: its predicate is none of OpenVEX, CSAF VEX and CycloneDX\n",
    );
}

#[test]
fn an_ignore_file() {
    check(
        "[[ignore]]\nid = \"CVE-1\"\npackage = \"pkg:npm/lodash\"\nversions = \"<5\"\nreason = \"not reached\"\nexpires = 2027-01-31\n\
         [[ignore]]\nid = [\"CVE-2\", \"CVE-3\"]\nimage = \"app\"\npackage = [\"openssl\"]\nreason = \"x\"\nstatus = \"not_affected\"\nauthor = \"me\"\n\
         [[ignore]]\nid = \"CVE-4\"\n\
         [[ignore]]\nid = \"CVE-5\"\nreason = \" \"\n\
         [[ignore]]\nid = \"CVE-6\"\nreason = \"r\"\nexpires = \"soon\"\n\
         [[ignore]]\nid = \"CVE-7\"\nreason = \"r\"\nuntil = 2027-01-31\n\
         [[ignore]]\nid = \"CVE-8\"\nreason = \"r\"\nstatus = \"affected\"\n",
        "accepted CVE-1 in pkg:npm/lodash <5; not reached; 2027-01-31\n\
         not_affected CVE-2=CVE-3 in app part openssl; x; me\n\
         gap: doc, entry 3: it does not count: missing field `reason`\n\
         gap: doc, entry 4: it does not count: its reason is empty\n\
         gap: doc, entry 5: it does not count: `expires` is no date; 2027-01-31 is one\n\
         gap: doc, entry 6: it does not count: unknown field `until`, expected one of `id`, `package`, `versions`, `image`, `reason`, `status`, `justification`, `author`, `expires`\n\
         gap: doc, entry 7: it does not count: `affected` is none of accepted, not_affected, fixed\n",
    );
}

#[test]
fn what_is_none_of_these() {
    let none = "unreadable: it is none of OpenVEX, CSAF VEX, CycloneDX JSON and an ignore file\n";
    for text in
        ["", "{}", "[]", "\u{0}", r#"{"@context":7}"#, r#"{"document":{"category":"csaf_vex"}}"#]
    {
        check(text, none);
    }
}

#[test]
fn every_file_is_registered_and_ids_are_unique() {
    let mut ids: Vec<&str> = ALL.iter().map(|it| it.id()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["csaf", "cyclonedx", "ignore", "in-toto", "openvex"]);
}

proptest! {
    #[test]
    fn no_document_breaks_a_reader(text in ".{0,200}", cut in 0_usize..400) {
        let whole = r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{"vulnerability":{"name":"C"},"products":[{"@id":"p","subcomponents":null,"identifiers":{"purl":"x"},"hashes":{"sha-256":"1"}}],"status":"fixed"}]}"#;
        let torn: String = whole.chars().take(cut).collect();
        let _ = read("doc", text.as_bytes());
        let _ = read("doc", torn.as_bytes());
        for document in ALL {
            let _ = document.read("doc", text.as_bytes());
            let _ = document.read("doc", torn.as_bytes());
        }
    }
}

/// How many statements are told, what they weigh, and the last gap.
fn told(document: &str) -> (usize, usize, String) {
    let read = read("doc", document.as_bytes()).unwrap();
    let weight = read.statements.iter().map(model::Statement::weight).sum();
    let gap = read.gaps.last().map(ToString::to_string).unwrap_or_default();
    (read.statements.len(), weight, gap)
}

fn csaf(tree: &serde_json::Value, flaws: &serde_json::Value) -> serde_json::Value {
    let head = serde_json::json!({"category": "csaf_vex", "csaf_version": "2.0"});
    serde_json::json!({"document": head, "product_tree": tree, "vulnerabilities": flaws})
}

/// Each says much in few bytes: by an order of magnitude more than there is memory for.
#[test]
fn what_repeats_itself_is_told_as_far_as_there_is_room() {
    use serde_json::json;
    let many = |what: &str, count: usize| {
        (0..count).map(|it| json!(format!("{what}{it}"))).collect::<serde_json::Value>()
    };
    let flaws = |count: usize, rest: serde_json::Value| {
        let flaw = |number| {
            let mut flaw = rest.clone();
            flaw["cve"] = json!(format!("CVE-{number}"));
            flaw
        };
        (0..count).map(flaw).collect::<serde_json::Value>()
    };
    let long = "n".repeat(100_000);
    let openvex = |vulnerability: serde_json::Value, of: &str, products, parts| {
        let statement = json!({"vulnerability": vulnerability, "products": products,
            "subcomponents": parts, "status": "fixed"});
        json!({"@context": format!("https://openvex.dev/ns{of}"), "statements": [statement]})
    };
    let product = json!({"full_product_names": [{"name": long, "product_id": "p"}]});
    let said = json!({"product_status": {"known_not_affected": ["p"]}});
    let repeated: serde_json::Value = vec![json!("p"); 5000].into();
    let repeated = json!({"product_status": {"known_not_affected": repeated}});
    let versions: serde_json::Value = vec![json!({"version": "1"}); 5000].into();
    let subjects: Vec<_> = (0..5000).map(|it| json!({"name": format!("s{it}")})).collect();
    let sentences: Vec<_> = (0..5000)
        .map(|it| json!({"vulnerability": format!("CVE-{it}"), "status": "fixed"}))
        .collect();
    for (what, document) in [
        ("a long name in many flaws", csaf(&product, &flaws(5000, said))),
        ("a long name many times", csaf(&product, &flaws(1, repeated))),
        (
            "aliases and products",
            openvex(
                json!({"name": "CVE-1", "aliases": many("CVE-2-", 5000)}),
                "",
                many("pkg:npm/p", 5000),
                json!([]),
            ),
        ),
        ("parts of products", openvex(json!("CVE-1"), "", many("p", 5000), many("q", 5000))),
        (
            "a long name in many versions",
            json!({"bomFormat": "CycloneDX",
            "components": [{"bom-ref": "a", "name": long}],
            "vulnerabilities": [{"id": "CVE-1", "analysis": {"state": "not_affected"},
                "affects": [{"ref": "a", "versions": versions}]}]}),
        ),
        (
            "subjects of sentences",
            json!({"_type": "https://in-toto.io/Statement/v1",
            "subject": subjects, "predicate": {"@context": "https://openvex.dev/ns",
            "statements": sentences}}),
        ),
    ] {
        let size = document.to_string().len();
        let (count, weight, gap) = told(&document.to_string());
        assert!(weight <= (size << 5) + (1 << 20), "{what}: {weight} of {size}");
        assert!(gap.contains("it says too much: "), "{what}: {count} told, {gap}");
    }
}

#[test]
fn an_ignore_file_has_no_room_for_everything_in_everything() {
    let many = |count: usize| (0..count).map(|it| format!("'n{it}'")).collect::<Vec<_>>().join(",");
    for (flaws, packages, images) in [(5000, 5000, 1), (1, 5000, 5000)] {
        let [flaws, packages, images] = [flaws, packages, images].map(many);
        let entry = "[[ignore]]\nreason = 'r'\n";
        let text = format!("{entry}id = [{flaws}]\npackage = [{packages}]\nimage = [{images}]\n");
        let (count, _, gap) = told(&text);
        assert_eq!((count, &*gap), (0, "doc: it says too much: 1 of its statements do not count"));
    }
}

#[test]
fn a_component_in_a_component_is_read_once() {
    let mut products = "\"inmost\"".to_owned();
    for _ in 0..30 {
        products = format!(r#"[{{"@id":"a","subcomponents":{products}}},"b"]"#);
    }
    check(
        &format!(
            r#"{{"@context":"https://openvex.dev/ns","statements":[
            {{"vulnerability":"CVE-1","status":"fixed","products":{products}}},
            {{"vulnerability":"CVE-2","status":"fixed","products":null}},
            {{"vulnerability":"CVE-3","status":"fixed","products":{{"@id":"c"}}}},
            {{"vulnerability":"CVE-4","status":"fixed","products":[7]}}]}}"#
        ),
        "fixed CVE-1 in a part a part b in b\nfixed CVE-2\nfixed CVE-3 in c\n\
         gap: doc, statement 4: it makes no sense: invalid type: integer `7`, expected a name or an object at line 1 column 55\n",
    );
}

/// The remarks of a flaw are held against its products at once, not one after the other.
#[test]
fn remarks_on_groups_count_in_their_order() {
    check(
        r#"{"document":{"category":"csaf_vex","csaf_version":"2.0"},"product_tree":{
        "full_product_names":[{"product_id":"a"},{"product_id":"b"},{"product_id":"c"}],
        "product_groups":[{"group_id":"g","product_ids":["b","a"]},{"group_id":"g","product_ids":["c"]}]},
        "vulnerabilities":[{"cve":"CVE-1","product_status":{"known_not_affected":["a","b","c"]},
        "flags":[{"label":"z","product_ids":["b"]},{"label":"y","group_ids":["g"]},{"label":"x","group_ids":["g"],"product_ids":["a"]}],
        "threats":[{"category":"impact","details":"none","product_ids":["c"]},{"category":"exploit_status","details":"no","product_ids":["a"]}]}]}"#,
        "not_affected CVE-1 in a; y\nnot_affected CVE-1 in c; y; none\nnot_affected CVE-1 in b; z\n",
    );
    // A flag for each product, and a group in each of many flags: it takes no time.
    let many: Vec<String> = (0..50_000).map(|it| format!("p{it}")).collect();
    let names: Vec<_> = many.iter().map(|it| serde_json::json!({"product_id": it})).collect();
    let flags = many
        .iter()
        .map(|it| serde_json::json!({"label": "l", "product_ids": [it], "group_ids": ["g"]}));
    let document = csaf(
        &serde_json::json!({"full_product_names": names,
            "product_groups": [{"group_id": "g", "product_ids": many}]}),
        &serde_json::json!([{"cve": "CVE-1", "flags": flags.collect::<Vec<_>>(),
            "product_status": {"known_not_affected": many}}]),
    );
    let (count, _, gap) = told(&document.to_string());
    assert_eq!((count, &*gap), (1, ""));
}
