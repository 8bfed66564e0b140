//! A template, by everybody who tells something: it is refused, or says something that fits.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use integration::{ALL, Role, SettingKind, Ways};

/// Each input is a template, for each setting that takes one.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for kind in ALL.iter().filter(|it| it.role == Role::Notifier) {
        for setting in kind.settings.iter().filter(|it| it.kind == SettingKind::Template) {
            let required = kind.settings.iter().filter(|it| it.required);
            let mut given: Vec<(String, String)> = required
                .map(|it| {
                    // Plain, so that nobody reads this machine's authorities for it.
                    let plain = if it.key == "url" { "http://127.0.0.1:9/x" } else { it.example };
                    (it.key.to_owned(), plain.to_owned())
                })
                .collect();
            given.push((setting.key.to_owned(), text.as_ref().to_owned()));
            let Ok(settings) = kind.settle(&given, &|_| None) else { continue };
            let begun = Instant::now();
            // To connect is to try it with a message that has everything and one that has nothing.
            if let Err(error) = (kind.connect)(&settings, ways()) {
                assert!(!error.to_string().contains(|it: char| it.is_control() && it != '\n'));
            }
            assert!(begun.elapsed() < Duration::from_secs(4), "{} {}", kind.id, setting.key);
        }
    }
}

fn ways() -> &'static Ways {
    static WAYS: OnceLock<Ways> = OnceLock::new();
    WAYS.get_or_init(|| {
        let outgoing = image::Outgoing::only(["*"]).ok().map(Arc::new);
        let settings = image::Settings { outgoing, ..image::Settings::default() };
        Ways { settings: Arc::new(settings), progress: Arc::new(image::Silent) }
    })
}
