//! `META-INF/MANIFEST.MF`: headers, folded at 72 bytes, of which only the first section counts.
//! <https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#jar-manifest>

/// The main section of a manifest.
#[derive(Default)]
pub(super) struct Manifest {
    headers: Vec<(String, String)>,
}

impl Manifest {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.trim().is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix(' ') {
                if let Some((_, value)) = headers.last_mut() {
                    value.push_str(rest);
                }
            } else if let Some((key, value)) = line.split_once(':') {
                headers.push((key.trim().to_owned(), value.trim_start().to_owned()));
            }
        }
        Self { headers }
    }

    /// A header, if it says something: `${project.name}` is a build that went wrong.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(key))?;
        Some(value.trim()).filter(|it| !it.is_empty() && !it.contains("${"))
    }

    /// The name of the bundle, without its directives.
    pub(super) fn symbolic_name(&self) -> Option<&str> {
        self.get("Bundle-SymbolicName")?.split(';').next().map(str::trim)
    }

    /// The first version that looks like one.
    pub(super) fn version(&self) -> Option<&str> {
        ["Implementation-Version", "Bundle-Version", "Specification-Version", "Plugin-Version"]
            .iter()
            .filter_map(|it| self.get(it)?.split_whitespace().next())
            .find(|it| it.trim_start_matches('v').starts_with(|it: char| it.is_ascii_digit()))
    }

    /// The licences of the bundle: names or addresses, each with attributes we do not need.
    pub(super) fn licenses(&self) -> impl Iterator<Item = &str> {
        let text = self.get("Bundle-License").unwrap_or_default();
        let mut quoted = false;
        text.split(move |it: char| {
            quoted ^= it == '"';
            it == ',' && !quoted
        })
        .filter_map(|it| it.split(';').next())
        .map(|it| it.trim().trim_matches('"'))
        .filter(|it| !it.is_empty())
    }
}
