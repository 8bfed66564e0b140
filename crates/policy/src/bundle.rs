//! A bundle: modules as layers of an OCI artifact, and back. Who pulls and unpacks is elsewhere.
//! <https://www.openpolicyagent.org/docs/latest/management-bundles/>

use std::collections::BTreeSet;

use crate::contract::{Error, Module, Origin};
use crate::reading;
use crate::set::{BYTES, MODULES};

/// What a manifest of ours says it is.
pub const ARTIFACT_TYPE: &str = "application/vnd.cncf.openpolicyagent.policy.v1";

/// The media type of its configuration, which is empty: `{}`.
pub const CONFIG_TYPE: &str = "application/vnd.cncf.openpolicyagent.config.v1+json";

/// The media type of a layer that is one module.
pub const MODULE_TYPE: &str = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego";

/// The annotation of a layer that names its file.
pub const TITLE: &str = "org.opencontainers.image.title";

/// The most bytes that a layer may have, unpacked or not.
pub const LARGEST: usize = BYTES;

/// A layer, or one file of a layer that is an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The path of its file: a relative one.
    pub title: String,
    /// What it is.
    pub media_type: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// How a layer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// It is a module.
    Module,
    /// It is an archive: each of its files that ends in `.rego` is a module.
    Tar,
    /// The same, compressed.
    TarGz,
    /// It is nothing of ours.
    Other,
}

/// How a layer of a media type is read.
pub fn packing(media_type: &str) -> Packing {
    match media_type {
        MODULE_TYPE => Packing::Module,
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.cncf.openpolicyagent.layer.v1.tar" => Packing::Tar,
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.cncf.openpolicyagent.layer.v1.tar+gzip" => Packing::TarGz,
        _ => Packing::Other,
    }
}

/// The layers of a bundle. Whoever publishes reads a `Set` of the modules first.
pub fn layers(modules: &[Module]) -> Result<Vec<Layer>, Error> {
    let mut titles = BTreeSet::new();
    let layer = |module: &Module| {
        let file = module.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = file.strip_suffix(".rego").unwrap_or(file);
        let letter = |it: char| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '-' };
        let stem: String = stem.chars().map(letter).take(100).collect();
        let stem = if stem.trim_matches('.').is_empty() { "policy".to_owned() } else { stem };
        let names = std::iter::once(format!("{stem}.rego"))
            .chain((2..).map(|it| format!("{stem}-{it}.rego")));
        let title = names.into_iter().find(|it| titles.insert(it.clone())).unwrap_or_default();
        Layer { title, media_type: MODULE_TYPE.to_owned(), bytes: module.text.clone().into_bytes() }
    };
    let layers: Vec<Layer> = modules.iter().map(layer).collect();
    let bytes: usize = layers.iter().map(|it| it.bytes.len()).sum();
    if layers.is_empty() || layers.len() > MODULES || bytes > BYTES {
        return Err(Error::new(
            "cannot bundle the policies",
            format!("they are none, or more than {MODULES} files or {BYTES} bytes"),
        ));
    }
    Ok(layers)
}

/// The modules of a bundle that goes by the name `bundle`. Archives are unpacked by the caller:
/// each of their files is a layer with the file's path as its title, and the media type of a module.
pub fn modules(
    bundle: &str,
    layers: impl IntoIterator<Item = Layer>,
) -> Result<Vec<Module>, Error> {
    let bad = |why: String| Error::new(format!("cannot read the bundle `{bundle}`"), why);
    let mut modules: Vec<Module> = Vec::new();
    let mut paths = BTreeSet::new();
    let mut bytes = 0_usize;
    for (number, layer) in layers.into_iter().enumerate() {
        if packing(&layer.media_type) != Packing::Module {
            continue;
        }
        let path = if layer.title.is_empty() {
            format!("{number}.rego")
        } else {
            cleaned(&layer.title).map_err(bad)?
        };
        if !path.to_ascii_lowercase().ends_with(".rego") {
            continue;
        }
        bytes = bytes.saturating_add(layer.bytes.len());
        if modules.len() == MODULES || bytes > BYTES {
            return Err(bad(format!("it has more than {MODULES} files or {BYTES} bytes")));
        }
        if layer.bytes.len() > reading::LARGEST {
            return Err(bad(format!("`{path}` is larger than {} bytes", reading::LARGEST)));
        }
        if !paths.insert(path.clone()) {
            return Err(bad(format!("it has `{path}` twice")));
        }
        let text =
            String::from_utf8(layer.bytes).map_err(|_| bad(format!("`{path}` is not UTF-8")))?;
        modules.push(Module { name: path, text, origin: Origin::Bundle(bundle.to_owned()) });
    }
    if modules.is_empty() {
        return Err(bad("there is no file of Rego in it".to_owned()));
    }
    Ok(modules)
}

/// A relative path that stays where it is.
fn cleaned(path: &str) -> Result<String, String> {
    let shown: String = path.chars().take(100).flat_map(char::escape_default).collect();
    if path.len() > 1024 || path.chars().any(|it| it.is_control() || it == '\\') {
        return Err(format!("`{shown}` is not the path of a file"));
    }
    if path.starts_with('/') || path.split('/').any(|it| it == "..") || path.contains(':') {
        return Err(format!("`{shown}` leads out of it"));
    }
    let parts: Vec<&str> = path.split('/').filter(|it| !matches!(*it, "" | ".")).collect();
    if parts.is_empty() {
        return Err(format!("`{shown}` is not the path of a file"));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(title: &str, text: &str) -> Layer {
        Layer { title: title.to_owned(), media_type: MODULE_TYPE.to_owned(), bytes: text.into() }
    }

    #[test]
    fn there_and_back() {
        let ours = crate::built_in::modules();
        let back = modules("b", layers(&ours).unwrap()).unwrap();
        let texts = |all: &[Module]| all.iter().map(|it| it.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&back), texts(&ours));
        assert!(back.iter().all(|it| it.origin == Origin::Bundle("b".to_owned())));
    }

    #[test]
    fn names_that_meet() {
        let module = |name: &str| Module::file(name, "");
        let layers = layers(&[module("/x/a.rego"), module("y/a.rego"), module("../..")]).unwrap();
        let titles: Vec<&str> = layers.iter().map(|it| &*it.title).collect();
        assert_eq!(titles, ["a.rego", "a-2.rego", "policy.rego"]);
    }

    #[test]
    fn what_is_refused() {
        let check = |layers: Vec<Layer>, expect: &str| {
            let told = modules("b", layers)
                .map_or_else(|error| error.to_string(), |it| it[0].name.clone());
            assert_eq!(told, expect);
        };
        check(vec![layer("./a//b.rego", "")], "a/b.rego");
        check(vec![layer("", "")], "0.rego");
        check(
            vec![layer("../a.rego", "")],
            "cannot read the bundle `b`: `../a.rego` leads out of it",
        );
        check(vec![layer("/a.rego", "")], "cannot read the bundle `b`: `/a.rego` leads out of it");
        check(
            vec![layer("a/../../b.rego", "")],
            "cannot read the bundle `b`: `a/../../b.rego` leads out of it",
        );
        check(
            vec![layer("C:a.rego", "")],
            "cannot read the bundle `b`: `C:a.rego` leads out of it",
        );
        check(
            vec![layer("a\\b.rego", "")],
            "cannot read the bundle `b`: `a\\\\b.rego` is not the path of a file",
        );
        check(
            vec![layer("a.rego", ""), layer("./a.rego", "")],
            "cannot read the bundle `b`: it has `a.rego` twice",
        );
        check(
            vec![layer("data.json", "")],
            "cannot read the bundle `b`: there is no file of Rego in it",
        );
        check(
            vec![Layer { bytes: vec![0xff], ..layer("a.rego", "") }],
            "cannot read the bundle `b`: `a.rego` is not UTF-8",
        );
        check(
            vec![layer("a.rego", &" ".repeat(reading::LARGEST + 1))],
            "cannot read the bundle `b`: `a.rego` is larger than 1048576 bytes",
        );
        let full = " ".repeat(reading::LARGEST);
        let many = (0..17).map(|it| layer(&format!("{it}.rego"), &full)).collect();
        check(many, "cannot read the bundle `b`: it has more than 1000 files or 16777216 bytes");
        let many = (0..1001).map(|it| layer(&format!("{it}.rego"), "")).collect();
        check(many, "cannot read the bundle `b`: it has more than 1000 files or 16777216 bytes");
        let other =
            Layer { media_type: "application/octet-stream".to_owned(), ..layer("a.rego", "") };
        check(vec![other], "cannot read the bundle `b`: there is no file of Rego in it");
    }
}
