//! EPSS: how likely it is that a flaw will be used in attacks within thirty days.

use model::{Forecast, Gap, Threat};

use crate::json::without_mark;
use crate::{Document, Feed, Parsed, Part};

pub(crate) struct Epss;

const COLUMNS: &str = "cve,epss,percentile";

/// So many odd lines are told one by one.
const GAPS: usize = 20;

impl Feed for Epss {
    fn id(&self) -> &'static str {
        "epss"
    }

    fn title(&self) -> &'static str {
        "FIRST Exploit Prediction Scoring System"
    }

    fn about(&self) -> &'static str {
        "https://www.first.org/epss; free to use, with credit to FIRST"
    }

    fn version(&self) -> u16 {
        1
    }

    fn stale_after_days(&self) -> u32 {
        3
    }

    fn tells(&self) -> Option<Threat> {
        Some(Threat::Forecasts)
    }

    fn every_hours(&self) -> u32 {
        12
    }

    fn parts(&self) -> Vec<Part> {
        let url = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";
        vec![Part { name: "all".to_owned(), urls: vec![url.to_owned()] }]
    }

    fn recognises(&self, _: &str, head: &[u8]) -> Option<String> {
        let head = without_mark(head);
        let mut lines = head.split(|it| *it == b'\n').map(<[u8]>::trim_ascii);
        let first = lines.next()?;
        let columns = if first.starts_with(b"#") { lines.next()? } else { first };
        columns.starts_with(COLUMNS.as_bytes()).then(|| "all".to_owned())
    }

    fn parse(&self, _: &str, document: &Document<'_>) -> Parsed {
        let mut parsed = Parsed::default();
        let mut odd = 0_usize;
        let text = String::from_utf8_lossy(without_mark(document.bytes));
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(about) = line.strip_prefix('#') {
                parsed.current =
                    about.split(',').find_map(|it| it.strip_prefix("score_date:")).map(moment);
            } else if let Some(forecast) = forecast(line) {
                parsed.forecasts.push(forecast);
            } else if !line.is_empty() && !line.starts_with(COLUMNS) {
                odd += 1;
                if odd <= GAPS {
                    let at = format!("{}:{}", document.path, number + 1);
                    parsed.gaps.push(Gap::new(at, "the line is no score"));
                }
            }
        }
        if odd > GAPS {
            let why = format!("{} more lines are no scores", odd - GAPS);
            parsed.gaps.push(Gap::new(document.path, why));
        }
        parsed
    }
}

fn forecast(line: &str) -> Option<Forecast> {
    let mut fields = line.split(',').map(|it| it.trim().trim_matches('"'));
    let id = fields.next().filter(|it| it.starts_with("CVE-"))?;
    let mut share = || fields.next()?.parse::<f32>().ok().filter(|it| (0.0..=1.0).contains(it));
    Some(Forecast { id: id.to_owned(), score: share()?, percentile: share()? })
}

/// `2025-12-26T12:55:00+0000` as RFC 3339 has it.
fn moment(text: &str) -> String {
    match text.trim().strip_suffix("+0000") {
        Some(start) => format!("{start}Z"),
        None => text.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::check;

    #[test]
    fn lines_are_forecasts() {
        check(
            &Epss,
            "all",
            "#model_version:v2025.03.14,score_date:2025-12-26T00:00:00+0000
cve,epss,percentile
CVE-2021-44228,0.94358,0.99963
CVE-2014-0160,1,1
CVE-2000-0001,NaN,0.5
CVE-2000-0002,1.5,0.5
CVE-2000-0003,0.5
other,0.1,0.2
",
            "CVE-2021-44228 0.94358 of 0.99963
             CVE-2014-0160 1 of 1
             ! x:5: the line is no score
             ! x:6: the line is no score
             ! x:7: the line is no score
             ! x:8: the line is no score
             current 2025-12-26T00:00:00Z",
        );
        let junk = "junk\n".repeat(30);
        let gaps = Epss.parse("all", &Document { path: "x", bytes: junk.as_bytes() }).gaps;
        assert_eq!(gaps.len(), 21);
        assert_eq!(gaps[20].to_string(), "x: 10 more lines are no scores");
    }
}
