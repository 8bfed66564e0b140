//! Where something runs, for spreadsheets: a row for each file of each package of each deployment, and
//! one for each thing that cannot be told.

use api::{Place, Sighted, Sighting, Whereabouts};
use format::report::csv_row;

const COLUMNS: [&str; 21] = [
    "record",
    "environment",
    "application",
    "platform",
    "image",
    "digest",
    "since",
    "source",
    "recorded_by",
    "recorded_from",
    "package",
    "flaw",
    "aliases",
    "severity",
    "fixed_in",
    "exploited",
    "path",
    "layer",
    "layer_digest",
    "instruction",
    "note",
];

pub(super) fn spreadsheet(answer: &Whereabouts) -> String {
    let mut out = String::new();
    csv_row(&mut out, COLUMNS);
    for sighted in &answer.found {
        for sighting in &sighted.deployments {
            for purl in &sighted.purls {
                if sighting.places.is_empty() {
                    row(
                        &mut out,
                        sighted,
                        sighting,
                        purl,
                        &Place { layer: None, digest: None, path: String::new(), created_by: None },
                    );
                }
                for place in &sighting.places {
                    row(&mut out, sighted, sighting, purl, place);
                }
            }
        }
        let note = match (sighted.more, sighted.environments.is_empty()) {
            (true, _) => "there are more deployments".to_owned(),
            (_, true) => format!("in {} images that do not run there", sighted.images),
            _ => continue,
        };
        remark(&mut out, "note", &sighted.purls.join(" "), &note);
    }
    for gap in &answer.gaps {
        remark(&mut out, "gap", "", &format!("{}: {}", gap.at, gap.why));
    }
    for it in &answer.refused {
        remark(&mut out, "note", "", &format!("{}: {}", it.at, it.why));
    }
    out
}

fn row(out: &mut String, sighted: &Sighted, sighting: &Sighting, purl: &str, place: &Place) {
    let it = &sighting.deployment;
    let flaw = sighted.flaw.as_ref();
    let layer = place.layer.map(|it| it.to_string()).unwrap_or_default();
    let aliases = flaw.map(|it| it.aliases.join(" ")).unwrap_or_default();
    let note = sighting
        .statement
        .as_ref()
        .map(|it| format!("taken out of the way: {}", format::whole_statement(it)));
    let note = note.unwrap_or_default();
    csv_row(
        out,
        [
            "deployment",
            &it.environment,
            &it.application,
            &it.platform,
            &it.image,
            &it.digest,
            &it.from,
            &it.source,
            &it.recorded_by,
            &it.recorded_from,
            purl,
            flaw.map(|it| &*it.id).unwrap_or_default(),
            &aliases,
            flaw.map(|it| &*it.severity).unwrap_or_default(),
            flaw.and_then(|it| it.fixed.as_deref()).unwrap_or_default(),
            flaw.map(|it| if it.exploited { "yes" } else { "no" }).unwrap_or_default(),
            &place.path,
            &layer,
            place.digest.as_deref().unwrap_or_default(),
            place.created_by.as_deref().unwrap_or_default(),
            &note,
        ],
    );
}

fn remark(out: &mut String, record: &str, purl: &str, note: &str) {
    csv_row(
        out,
        COLUMNS.map(|column| match column {
            "record" => record,
            "package" => purl,
            "note" => note,
            _ => "",
        }),
    );
}
