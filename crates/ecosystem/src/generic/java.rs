//! Java, from the `release` file that every runtime since Java 7 has at its root.

use model::{Found, Package, Purl};

use crate::File;

/// A list of modules makes it some KiB.
const LARGEST: u64 = 256 << 10;

/// Many files are called `release`; those without a `JAVA_VERSION` are not ours.
pub(super) fn read(file: &File<'_>) -> Found {
    let Ok(bytes) = file.bytes(LARGEST) else { return Found::default() };
    let text = String::from_utf8_lossy(&bytes);
    let get = |key: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(it, _)| it.trim() == key)
            .map(|(_, value)| value.trim().trim_matches('"'))
            .filter(|it| !it.is_empty())
    };
    let Some(short) = get("JAVA_VERSION") else { return Found::default() };
    // `17.0.12+7-LTS`, or `1.8.0_422-b05` before Java 9. Some vendors count in a way of their own.
    let version = [get("JAVA_RUNTIME_VERSION"), get("FULL_VERSION")]
        .into_iter()
        .flatten()
        .find(|it| it.split('.').next() == short.split('.').next())
        .unwrap_or(short);
    let (vendor, product) = product(get("IMPLEMENTOR").unwrap_or_default(), &text);
    let mut cpes = vec![cpe(vendor, product, version)];
    if product == "zulu" {
        cpes.push(cpe("oracle", "openjdk", version));
    }
    let purl = Purl::new("generic", product).with_namespace(vendor).with_version(version);
    Found::packages(vec![Package {
        cpes,
        author: get("IMPLEMENTOR").map(str::to_owned),
        ..Package::new(purl)
    }])
}

/// The name under which flaws are published: all but Azul's and Oracle's own are `OpenJDK`'s.
fn product(implementor: &str, text: &str) -> (&'static str, &'static str) {
    let implementor = implementor.to_ascii_lowercase();
    if implementor.contains("azul") {
        ("azul", "zulu")
    } else if implementor.contains("oracle") {
        let is_kit = text.contains("jdk.compiler") || text.contains("IMAGE_TYPE=\"JDK\"");
        ("oracle", if is_kit { "jdk" } else { "jre" })
    } else {
        ("oracle", "openjdk")
    }
}

/// `1.8.0_422-b05` is version `1.8.0`, update `update422`; `17.0.12+7-LTS` is version `17.0.12`.
fn cpe(vendor: &str, product: &str, version: &str) -> String {
    let (version, update) = match version.split_once('_') {
        Some((version, update)) => {
            let number = update.split(['-', '+']).next().unwrap_or_default();
            (version, format!("update{}", number.trim_start_matches('0')))
        }
        None => (version.split(['+', '-']).next().unwrap_or(version), "*".to_owned()),
    };
    let sound = |it: &str| {
        it.chars()
            .filter(|it| it.is_ascii_alphanumeric() || "._*".contains(*it))
            .collect::<String>()
    };
    format!("cpe:2.3:a:{vendor}:{product}:{}:{}:*:*:*:*:*:*", sound(version), sound(&update))
}
