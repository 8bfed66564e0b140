//! What many say is told once, read by each of them, and never told more often than anybody would.

use super::*;
use crate::table::TableWriter;

/// The sheet with another section in the place of one.
fn with_section(sheet: &Sheet, section: Section, bytes: &[u8]) -> Sheet {
    let mut sections = sheet.all_sections();
    sections[section as usize] = bytes;
    Sheet::with_orders(crate::layout::file_of(&sections), whole).unwrap()
}

fn table_of(entries: &[&[u8]]) -> Vec<u8> {
    let mut table = TableWriter::new(4);
    for it in entries {
        table.push(it);
    }
    table.finish().unwrap()
}

#[test]
fn a_sheet_of_another_form_is_refused() {
    let mut bytes = sample();
    bytes[8] -= 1;
    let why = Sheet::with_orders(bytes, whole).unwrap_err().to_string();
    assert!(why.ends_with("it is written in the form of another version of foretop"), "{why}");
}

#[test]
fn a_name_may_be_an_advisory_and_the_alias_of_another() {
    let own = Advisory {
        aliases: vec!["CVE-2".into(), "GHSA-1".into()],
        ..short("CVE-1", "debian:12", "zlib", "1")
    };
    let sheet = sheet(&compile([own, short("CVE-2", "debian:12", "bash", "2")]), "debian:12");
    assert_eq!(sheet.flaw("CVE-1").unwrap().advisories, [0]);
    assert_eq!(sheet.flaw("CVE-2").unwrap().advisories, [0, 1]);
    assert_eq!(sheet.flaw("GHSA-1").unwrap().advisories, [0]);
    assert_eq!(sheet.flaws("").collect::<Vec<_>>(), ["CVE-1", "CVE-2", "GHSA-1"]);
    assert_eq!(look_up(&sheet, "zlib")[0].aliases, ["CVE-2", "GHSA-1"]);
    assert_eq!(look_up(&sheet, "bash")[0].id, "CVE-2");
}

#[test]
fn bulletins_of_most_rows_are_those_of_all_that_have_them() {
    let mut advisory = short("CVE-1", "debian:12", "a", "1");
    for (package, bulletins) in [("b", "A-1 B-1"), ("c", "A-1 B-1"), ("d", "A-1"), ("e", "")] {
        let mut row = short("", "debian:12", package, "1").affected.remove(0);
        row.bulletins = bulletins.split_whitespace().map(String::from).collect();
        advisory.affected.push(row);
    }
    let sheet = sheet(&compile([advisory]), "debian:12");
    let bulletins = |name: &str| look_up(&sheet, name)[0].bulletins.join(" ");
    assert_eq!(["a", "b", "c", "d", "e"].map(bulletins), ["", "A-1 B-1", "A-1 B-1", "A-1", ""]);
}

#[test]
fn rows_of_packages_that_have_the_same_are_there_once() {
    let size = |packages: u32| {
        let advisory = |number: u32| {
            let mut it = short(&format!("CVE-{number}"), "debian:12", "", &number.to_string());
            let row = it.affected.remove(0);
            it.affected = (0..packages)
                .map(|package| Affected { package: format!("p{package}"), ..row.clone() })
                .collect();
            it
        };
        let sheet = sheet(&compile((0..100).map(advisory)), "debian:12");
        assert_eq!(sheet.meta().rows, u64::from(packages) * 100);
        let first = told(&look_up(&sheet, "p0"));
        assert_eq!(first.len(), 100);
        assert!((0..packages).all(|it| told(&look_up(&sheet, &format!("p{it}"))) == first));
        sheet.section(Section::Rows).len()
    };
    let (one, many) = (size(1), size(50));
    assert!(many < one + 49 * 5, "{many}, and {one} of one");
}

#[test]
fn rows_are_borrowed_once_and_only_from_before() {
    let good = sheet(
        &compile(["a", "b", "c"].map(|it| short(&format!("CVE-{it}"), "debian:12", it, "1"))),
        "debian:12",
    );
    let entry = |name| good.table(Section::Rows).unwrap().get(name).unwrap().to_vec();
    let check = |rows: [&[u8]; 3], torn: [bool; 3]| {
        let rows = table_of(&rows);
        let sheet = with_section(&good, Section::Rows, &rows);
        let of = |it| look_up(&sheet, it).iter().any(|it| it.torn.is_some());
        assert_eq!(["a", "b", "c"].map(of), torn);
        assert_eq!(sheet.walk().is_err(), torn.contains(&true), "{:?}", sheet.walk());
    };
    let rows = [0, 1, 2].map(entry);
    check([&rows[0], &rows[1], &rows[2]], [false; 3]);
    check([&rows[0], &[0, 0], &rows[2]], [false; 3]);
    check([&rows[0], &[0, 0], &[0, 1]], [false, false, true]);
    check([&rows[0], &[0, 1], &rows[2]], [false, true, false]);
    check([&[0, 1], &rows[1], &rows[2]], [true, false, false]);
    check([&[0, 0], &[0], &[0, 0, 0]], [true; 3]);
    check([&[], &rows[1], &[0, 9]], [true, false, true]);
}

#[test]
fn many_rows_are_no_more_than_anybody_has() {
    let advisory = |number: u32| short(&format!("CVE-{number}"), "debian:12", "p0", "1");
    let compiled = compile((0..300).map(advisory));
    let names: Vec<String> = (0..60_000).map(|it| format!("p{it:05}")).collect();
    let names: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
    let good = sheet(&compiled, "debian:12");
    let entry = good.table(Section::Rows).unwrap().get(0).unwrap();
    let rows: Vec<&[u8]> =
        std::iter::once(entry).chain(std::iter::repeat_n(&[0, 0][..], 59_999)).collect();
    let (names, rows) = (table_of(&names), table_of(&rows));
    let sheet = with_section(&with_section(&good, Section::Names, &names), Section::Rows, &rows);
    assert_eq!(sheet.walk(), Err("it has more rows than anybody has"));
}

#[test]
fn a_long_list_is_not_shared() {
    let names = |count: u32| -> Vec<String> { (0..count).map(|it| format!("p{it:04}")).collect() };
    let advisory = |number: u32, count: u32| {
        let mut it = short(&format!("CVE-{number}"), "debian:12", "", "1");
        let row = it.affected.remove(0);
        let names = names(count).into_iter();
        it.affected = names.map(|package| Affected { package, ..row.clone() }).collect();
        it
    };
    for count in [200, 2000] {
        let sheet = sheet(&compile((0..3).map(|it| advisory(it, count))), "debian:12");
        assert_eq!(sheet.packages(1), names(count));
    }
    let good = sheet(&compile((0..3).map(|it| advisory(it, 200))), "debian:12");
    let long: Vec<u8> = std::iter::once(0).chain(std::iter::repeat_n(1, 299)).collect();
    let lists = good.table(Section::Lists).unwrap();
    let lists: Vec<&[u8]> = (0..lists.len())
        .map(|it| lists.get(it).unwrap())
        .map(|it| if it.len() == 200 { &*long } else { it })
        .collect();
    let sheet = with_section(&good, Section::Lists, &table_of(&lists));
    assert_eq!(sheet.packages(1), [""; 0]);
    assert_eq!(sheet.walk(), Err("an advisory cannot be read"));
}

#[test]
fn flaws_of_one_name_are_refused() {
    let own =
        Advisory { aliases: vec!["GHSA-1".into()], ..short("CVE-1", "debian:12", "zlib", "1") };
    let good = sheet(&compile([own]), "debian:12");
    let flaws = crate::folded::fold(["CVE-1"].into_iter()).unwrap();
    let sheet = with_section(&good, Section::Flaws, &flaws);
    assert_eq!(sheet.walk(), Err("it has two flaws of one name"));
    let flaws = crate::folded::fold(["GHSA-1", "GHSA-2"].into_iter()).unwrap();
    let sheet = with_section(&good, Section::Flaws, &flaws);
    assert_eq!(sheet.walk(), Err("it has another number of flaws than it says"));
    let ids = crate::folded::fold([].into_iter()).unwrap();
    let sheet = with_section(&good, Section::Ids, &ids);
    assert_eq!(sheet.walk(), Err("it has another number of advisories than it says"));
    assert!(look_up(&sheet, "zlib")[0].torn.is_some());
}
