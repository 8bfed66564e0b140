//! `foretop rule` and `foretop notification`, without a server and with one.

use crate::place::{Memory, Place};

fn check(place: &Place, typed: &str, code: i32, expect: &[&str]) {
    let (found, said) = place.shell(typed);
    assert_eq!(found, code, "{typed}\n{said}");
    for line in expect {
        assert!(said.contains(line), "{typed}\n{said}\nis missing: {line}");
    }
}

#[test]
fn nobody_is_there_to_tell_anything_without_a_server() {
    let place = Place::new(Memory::Alone, true).unwrap();
    place.foretop("env create staging");
    check(&place, "foretop rule list", 0, &["There is no rule yet"]);
    check(&place, "foretop rule list --format json", 0, &["[]"]);
    check(&place, "foretop notification list", 0, &["There is nothing like that to be told"]);
    check(&place, "foretop notification retry", 0, &["Nothing was given up"]);
    let none = "notification `none`: there is none that was given up or waits";
    check(&place, "foretop notification retry none", 1, &[none, "notification list"]);
    check(&place, "foretop runtime list", 0, &["No runtime in organization", "foretop agent"]);
    check(&place, "foretop runtime list 2>/dev/null | wc -c", 0, &["0"]);
    let add = "foretop rule add first --channel slack/ops --on all";
    check(&place, add, 1, &["nobody is here all the time to tell anything", "foretop serve"]);
    check(&place, "foretop rule remove first", 1, &["rule `first`: there is none"]);
}

#[test]
fn what_makes_no_sense_is_refused_before_it_is_kept() {
    for memory in [Memory::Sqlite, Memory::Postgres] {
        let Some(place) = Place::new(memory, true) else { continue };
        let add = |rest: &str| format!("foretop rule add first --channel harbor/ours {rest}");
        let known = "there are new-finding, known-exploited, severity-up";
        check(&place, &add("--on new"), 1, &["`new` is nothing to be told of", known]);
        check(&place, &add("--on all"), 1, &["tells nobody anything"]);
        let none = "foretop rule add first --channel slack/ops --on all";
        check(&place, none, 1, &["integration `slack ops`: there is none", "no integration yet"]);
        for line in ["rule remove ..", "schedule remove ..", "runtime remove .. --force"] {
            check(&place, &format!("foretop {line}"), 1, &["nothing is called `.` or `..`"]);
        }
        check(&place, &add("--on all --quiet 22:00"), 1, &["write it as 22:00-07:00"]);
        check(&place, &add("--on all --quiet 22:00-25:00"), 1, &["`25:00` is no time of day"]);
        let zone = "--on all --quiet 22:00-07:00 --zone Europe/Nowhere";
        check(&place, &add(zone), 1, &["nobody knows the zone `Europe/Nowhere`"]);
        check(&place, &add("--on all --zone UTC"), 1, &["no time of day is told"]);
        check(&place, &add("--on all --digest hourly --zone UTC"), 1, &["no time of day is told"]);
        check(&place, &add("--on all --digest daily --zone UTC"), 1, &["tells nobody anything"]);
        let hourly = "--on all --digest hourly --at 08:00";
        check(&place, &add(hourly), 1, &["it is told at each full hour"]);
        check(&place, &add("--on all --only-severity bad"), 1, &["it is one of critical, high"]);
        check(&place, "foretop rule list --format json", 0, &["[]"]);
        check(&place, "foretop rule test first", 1, &["rule `first`: there is none"]);
        check(&place, "foretop rule add -h", 0, &["tag-drifted", "--only-severity"]);
    }
}
