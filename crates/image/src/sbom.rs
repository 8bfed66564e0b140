//! sbom: a document that says what is inside something, from a file or standard input.

use std::io;

use async_trait::async_trait;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::blob;
use crate::contract::{Ask, Error, ImageSource, Opened};

/// More than the largest documents in use, and little enough to keep.
const LIMIT: u64 = 256 << 20;

pub(crate) struct Sbom;

#[async_trait]
impl ImageSource for Sbom {
    fn scheme(&self) -> &'static str {
        "sbom"
    }

    fn takes(&self) -> &'static str {
        "an SBOM document; standard input when empty or `-`"
    }

    fn takes_platform(&self) -> bool {
        false
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let path = ask.name.clone();
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            // Nobody else waits.
            return read(&path).map(Some);
        }
        tokio::task::spawn_blocking(move || read(&path))
            .await
            .expect("reading a document does not panic")
            .map(Some)
    }
}

fn read(path: &str) -> Result<Opened, Error> {
    if matches!(path, "" | "-") {
        let bytes = blob::read_bounded(io::stdin().lock(), "standard input", LIMIT)?;
        return Ok(Opened::Document { name: "standard input".to_owned(), bytes });
    }
    let file = std::path::Path::new(path);
    let metadata = fs_err::metadata(file).map_err(|error| {
        blob::from_io(path, error).with_hint("give the path of an SBOM document")
    })?;
    if metadata.is_dir() {
        return Err(Error::invalid(path, "it is a directory, not a document")
            .with_hint(format!("to look into a directory: fs://{path}")));
    }
    let file = fs_err::File::open(file).map_err(|error| blob::from_io(path, error))?;
    let bytes = blob::read_file(file, path, LIMIT)?;
    Ok(Opened::Document { name: path.to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expect: &str) {
        let shown = match read(path) {
            Ok(Opened::Document { bytes, .. }) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(_) => "something else".to_owned(),
            Err(error) => format!("{error} ({})", error.hint().unwrap_or_default()),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn reads_a_file_whatever_it_holds() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bom.json");
        fs_err::write(&path, "{}").unwrap();
        check(path.to_str().unwrap(), "{}");
    }

    #[test]
    fn says_what_is_wrong() {
        check(
            "no/such.json",
            "no/such.json: there is no such file (give the path of an SBOM document)",
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        check(
            path,
            &format!(
                "{path}: it is a directory, not a document (to look into a directory: fs://{path})"
            ),
        );
    }

    #[test]
    fn is_bounded() {
        let error = blob::read_bounded(io::repeat(b' '), "endless", 1000).unwrap_err();
        assert_eq!(error.to_string(), "endless: it is larger than 1000 bytes");
    }
}
