//! What is described is what is taken: the patterns and lists of words in the document, held against
//! those who read such texts.

use api::grammar::{
    DigestName, ExportForm, ImageName, KindNames, Name, PlatformName, SourceName, TagName,
};
use model::{Digest, Platform};
use regex::Regex;
use serde_json::Value as Json;
use utoipa::PartialSchema;

use super::{app, digest};
use crate::named::Named;
use crate::routes::selected;

struct Described(Json);

impl Described {
    fn of<T: PartialSchema>() -> Self {
        Self(serde_json::to_value(T::schema()).unwrap())
    }

    fn takes(&self, text: &str) -> bool {
        let length = text.chars().count() as u64;
        let fits = |name: &str, fits: fn(u64, u64) -> bool| {
            self.0[name].as_u64().is_none_or(|it| fits(length, it))
        };
        fits("minLength", |it, least| it >= least)
            && fits("maxLength", |it, most| it <= most)
            && self.0["pattern"].as_str().is_none_or(|it| Regex::new(it).unwrap().is_match(text))
            && self.0["enum"].as_array().is_none_or(|it| it.iter().any(|it| it == text))
    }
}

fn check(described: &Described, texts: &[&str], takes: impl Fn(&str) -> bool) {
    let taken = texts.iter().filter(|it| takes(it)).count();
    assert!(0 < taken && taken < texts.len(), "there is something of both");
    for text in texts {
        assert_eq!(described.takes(text), takes(text), "{text:?} {}", described.0);
    }
}

#[test]
fn images_and_platforms() {
    let hash = digest('a');
    let long = format!("acme/web@sha512:{}", "0".repeat(128));
    let [short, both] = [format!("debian@{hash}"), format!("localhost:5000/a/b:v1@{hash}")];
    let wide = format!("a:{}", "v".repeat(129));
    let images = [
        "acme/web",
        "debian:12",
        "localhost/a",
        "localhost:5000/a/b:V1_x",
        "[::1]:5000/a",
        "docker-pullable://gcr.io/a/b",
        "registry://a",
        "ACME.io/web",
        "a.b",
        "a__b/c--d",
        &short,
        &both,
        &long,
        &wide,
        "",
        " a",
        "a ",
        "a\n",
        "A",
        "a/B",
        "ACME/web",
        "-a",
        "a-",
        "a//b",
        "/a",
        "a/",
        "a:",
        "a:-v",
        "a:b:c",
        "a@b",
        "a@sha256:0",
        "http://a",
        ".io/a",
        "é",
        "a.io:/",
    ];
    check(&Described::of::<ImageName>(), &images, |it| Named::read(it).is_ok());
    let tag = |it: &str| Named::read(it).is_ok_and(|it| it.digest.is_none());
    check(&Described::of::<TagName>(), &images, tag);
    let digests = [&*hash, "sha256:0", "sha512:0", "md5:0", "", &hash[7..]];
    check(&Described::of::<DigestName>(), &digests, |it| it.parse::<Digest>().is_ok());
    let platforms = ["linux/amd64", "Linux/arm/v7", "linux", "a/b/c/d", "a/", "", "a b/c", "é/a"];
    check(&Described::of::<PlatformName>(), &platforms, |it| it.parse::<Platform>().is_ok());
}

#[tokio::test]
async fn names() {
    let longest = "é".repeat(200);
    let [longer, blanks] = [format!("{longest}é"), format!("{} ", "é".repeat(200))];
    let mut names: Vec<String> = [
        "a",
        "ab",
        "a b",
        " a ",
        "\ta\n",
        "...",
        ".a",
        "a.",
        ". .",
        "a\u{a0}b",
        "\u{3000}a",
        "a\u{200d}b",
        "生产",
        "😀",
        "",
        " ",
        "\n",
        ".",
        "..",
        " .. ",
        "a\nb",
        "a\u{202e}b",
        "\u{200b}",
        "a\0",
        "a\u{2028}b",
        "a\u{85}",
        &longest,
        &longer,
        &blanks,
    ]
    .map(str::to_owned)
    .to_vec();
    // Each character that means something to somebody, alone and within.
    let odd = (0..0xa2).chain(0x167f..0x1682).chain(0x1fff..0x2072).chain(0x2fff..0x3002);
    for letter in odd.chain(0xfefe..0xff00).filter_map(char::from_u32) {
        names.extend([format!("{letter}"), format!("a{letter}b"), format!("a{letter}")]);
    }
    let (app, described) = (app().await, Described::of::<Name>());
    let act = model::Act {
        who: "ann".to_owned(),
        origin: String::new(),
        at: "2026-11-21T10:00:00Z".parse().unwrap(),
    };
    let acme = app.store.create_organisation(&act, "acme").await.unwrap().id;
    for name in names {
        let made = app.store.create_environment(&acme, &act, &name).await;
        let taken = !matches!(made, Err(store::Error::Refused { .. }));
        assert_eq!(described.takes(&name), taken, "{name:?}");
    }
}

#[test]
fn words() {
    let listed = |described: Described| {
        let words = described.0["enum"].as_array().unwrap().clone();
        words.iter().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let forms = format::export::ALL.iter().map(|it| it.id()).collect::<Vec<_>>();
    assert_eq!(listed(Described::of::<ExportForm>()), forms);
    for word in listed(Described::of::<SourceName>()) {
        assert!(word.parse::<model::Source>().is_ok_and(|it| it.runtime().is_none()), "{word}");
    }
    let kinds = ["tag-moved", "tag-moved,expired", "", ",", "tag-moved,", "tag", " tag-moved"];
    check(&Described::of::<KindNames>(), &kinds, |it| {
        let query = api::EventQuery { kinds: Some(it.to_owned()), ..api::EventQuery::default() };
        selected(query).is_ok()
    });
}
