//! A webhook, by every party's inbox; and what follows `--registry`.

use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use integration::{ALL, Delivery, Integration, Received, Role, Secrets, Ways, receive};
use model::{Moment, Secret};

/// Runs it once. The first byte says whose it is and how it comes, the first line is a header's.
pub fn run(input: &[u8]) {
    let Some((&which, rest)) = input.split_first() else { return };
    let parties = parties();
    let Some(party) = parties.get(usize::from(which) % parties.len()) else { return };
    let line = rest.iter().position(|it| *it == b'\n').unwrap_or(0);
    let (header, body) = rest.split_at(line);
    let mut headers = HeaderMap::new();
    let mut parts = header.splitn(2, |it| *it == b':');
    let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
    let value = HeaderValue::from_bytes(parts.next().unwrap_or_default());
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.insert(name, value);
    }
    let method = if which >= 0x80 { Method::OPTIONS } else { Method::POST };
    let query = std::str::from_utf8(header).unwrap_or_default();
    if let Some(inbox) = party.inbox() {
        let delivery = Delivery { method: &method, query, headers: &headers, body };
        let now = Moment::from_micros(1_795_255_200_000_000);
        let unsigned = receive(inbox, &delivery, &Secrets::default(), now);
        assert_eq!(unsigned, receive(inbox, &delivery, &Secrets::default(), now));
        if let Received::Heard { heard, .. } = unsigned {
            for event in heard.notices {
                assert!(!event.is_signed && (event.tag.is_some() || event.digest.is_some()));
                let (registry, repository, _) = event.about();
                // What is read can be asked for.
                let name = format!("{registry}/{repository}");
                assert!(name.parse::<model::Reference>().is_ok(), "{name}");
            }
        }
        let secrets = Secrets::new(Some(Secret::new("a secret of ours")), None);
        if let Received::Heard { .. } = receive(inbox, &delivery, &secrets, now) {
            let shown = header.windows(16).any(|it| it == b"a secret of ours");
            assert!(shown || header.len() >= 40, "it proves nothing");
        }
    }
    if let Ok(text) = std::str::from_utf8(rest)
        && let Ok((kind, given)) = integration::registry_string::parse(text)
        && let Ok(settings) = kind.settle(&given, &|_| None)
    {
        let filter = integration::filter::Filter::of(kind, &settings);
        filter.takes_tag("latest");
    }
}

/// Every registry, set up with its own examples.
fn parties() -> &'static [Box<dyn Integration>] {
    static PARTIES: OnceLock<Vec<Box<dyn Integration>>> = OnceLock::new();
    PARTIES.get_or_init(|| {
        let ways = Ways { settings: Arc::default(), progress: Arc::new(image::Silent) };
        let connected = ALL.iter().filter(|it| it.role == Role::Registry).map(|kind| {
            let given: Vec<_> = kind
                .settings
                .iter()
                .filter(|it| it.required)
                .map(|it| (it.key.to_owned(), it.example.to_owned()))
                .collect();
            let settings = kind.settle(&given, &|_| None).expect("its own examples hold");
            (kind.connect)(&settings, &ways).expect("its own examples hold")
        });
        connected.collect()
    })
}
