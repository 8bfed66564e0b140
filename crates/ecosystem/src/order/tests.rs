//! Laws of every order: total, antisymmetric, transitive; keys agree; no text is too odd to refuse.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{ALL, FAMILIES, Order, find};

fn key(order: &dyn Order, version: &str) -> Vec<u8> {
    let mut key = Vec::new();
    order.key(version, &mut key).expect("an example is readable");
    key
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let mut seen = BTreeSet::new();
    for order in ALL {
        assert!(order.id().bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit()));
        assert!(seen.insert(order.id()), "{} is there twice", order.id());
        assert!(order.examples().len() >= 12, "{} has too few examples", order.id());
    }
}

#[test]
fn every_family_has_an_order_that_exists() {
    for (family, id) in FAMILIES {
        assert!(find(id).is_some(), "{family}: there is no order {id}");
    }
}

#[test]
fn examples_are_in_total_order_and_keys_agree() {
    for order in ALL {
        for left in order.examples() {
            for right in order.examples() {
                let said = order.compare(left, right).expect("examples are readable");
                let back = order.compare(right, left).expect("examples are readable");
                assert_eq!(said, back.reverse(), "{}: {left} and {right}", order.id());
                let keys = key(*order, left).cmp(&key(*order, right));
                assert_eq!(said, keys, "{}: keys of {left} and {right}", order.id());
                for third in order.examples() {
                    let next = order.compare(right, third).expect("examples are readable");
                    if said != Ordering::Greater && next != Ordering::Greater {
                        let sum = order.compare(left, third).expect("examples are readable");
                        assert_ne!(
                            sum,
                            Ordering::Greater,
                            "{}: {left} {right} {third}",
                            order.id()
                        );
                    }
                }
            }
        }
    }
}

/// Texts made of what versions are made of, so that most can be read and many nearly collide.
fn versionlike() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[0-9]{1,3}",
        "0{0,2}[0-9]{1,2}",
        "[a-c]{1,2}",
        prop::sample::select(vec![
            "alpha", "beta", "rc", "RC", "pre", "post", "dev", "p", "r", "v", "final", "ga", "sp",
            "SNAPSHOT", "el8", "x", "git", "cvs", "a", "b", "m", "cr", "patch", "pl", "stable",
        ])
        .prop_map(str::to_owned),
        "[0-9]{19,22}",
    ];
    let mark = prop::sample::select(vec![".", "-", "_", "+", "~", "^", ":", "!", "", "-r", ".dev"]);
    (word.clone(), prop::collection::vec((mark, word), 0..5)).prop_map(|(first, rest)| {
        let mut text = first;
        for (mark, word) in rest {
            text.push_str(mark);
            text.push_str(&word);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn generated_versions_obey_the_laws(a in versionlike(), b in versionlike(), c in versionlike()) {
        for order in ALL {
            let (Ok(ab), Ok(bc), Ok(ac)) =
                (order.compare(&a, &b), order.compare(&b, &c), order.compare(&a, &c))
            else {
                continue;
            };
            prop_assert_eq!(order.compare(&b, &a), Ok(ab.reverse()), "{}: {} {}", order.id(), a, b);
            prop_assert_eq!(order.compare(&a, &a), Ok(Ordering::Equal), "{}: {}", order.id(), a);
            prop_assert_eq!(ab, key(*order, &a).cmp(&key(*order, &b)), "{}: keys of {} {}", order.id(), a, b);
            if ab == bc {
                prop_assert_eq!(ac, ab, "{}: {} {} {}", order.id(), a, b, c);
            }
        }
    }

    #[test]
    fn what_can_be_read_has_a_key_and_what_cannot_has_none(text in prop_oneof![".{0,60}", versionlike()]) {
        for order in ALL {
            let mut key = Vec::new();
            prop_assert_eq!(order.key(&text, &mut key).is_ok(), order.compare(&text, &text).is_ok(), "{}: {:?}", order.id(), text);
        }
    }
}
