//! oci-dir: an OCI layout in a directory, as buildx, skopeo and others write it.

use std::io::Read;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::blob;
use crate::contract::{Ask, Error, ImageSource, Opened};
use crate::layout::{self, DOCUMENT_LIMIT, Parts, Readable};

pub(crate) struct OciDir;

#[async_trait]
impl ImageSource for OciDir {
    fn scheme(&self) -> &'static str {
        "oci-dir"
    }

    fn takes(&self) -> &'static str {
        "a directory with an OCI layout, for one platform or several"
    }

    fn takes_reference(&self) -> bool {
        true
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let ask = ask.clone();
        tokio::task::spawn_blocking(move || open(&ask))
            .await
            .expect("reading a layout does not panic")
            .map(Some)
    }
}

fn open(ask: &Ask) -> Result<Opened, Error> {
    let path = ask.name.as_str();
    let hint = "give the directory that holds index.json and blobs";
    if path.is_empty() {
        return Err(Error::invalid("oci-dir://", "no path is given").with_hint(hint));
    }
    let metadata =
        fs_err::metadata(path).map_err(|error| blob::from_io(path, error).with_hint(hint))?;
    if !metadata.is_dir() {
        return Err(Error::invalid(path, "it is not a directory")
            .with_hint(format!("to read an archive: archive://{path}")));
    }
    layout::opened(Directory { root: PathBuf::from(path) }, ask)
}

struct Directory {
    root: PathBuf,
}

impl Directory {
    /// Links are followed: builders link blobs into layouts, and the directory is the user's own.
    fn file(&self, path: &str) -> Result<Option<(fs_err::File, u64)>, Error> {
        let real = self.root.join(Path::new(tarball::clean_path(path).as_ref()));
        let shown = real.display().to_string();
        match fs_err::metadata(&real) {
            // Anything else, a pipe say, could keep us waiting.
            Ok(metadata) if !metadata.is_file() => Ok(None),
            Ok(metadata) => {
                let file =
                    fs_err::File::open(&real).map_err(|error| blob::from_io(&shown, error))?;
                Ok(Some((file, metadata.len())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(blob::from_io(&shown, error)),
        }
    }
}

impl Parts for Directory {
    fn document(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some((file, _)) = self.file(path)? else { return Ok(None) };
        let what = format!("{path} in {}", self.root.display());
        blob::read_bounded(file, &what, DOCUMENT_LIMIT).map(Some)
    }

    fn size(&self, path: &str) -> Option<u64> {
        self.file(path).ok().flatten().map(|(_, size)| size)
    }
}

impl Readable for Directory {
    fn open(&self, path: &str) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        Ok(self.file(path)?.map(|(file, _)| Box::new(file) as Box<dyn Read + Send + '_>))
    }
}

#[cfg(test)]
mod tests;
