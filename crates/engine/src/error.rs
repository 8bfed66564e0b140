//! Why there is no answer at all.

/// An error that carries its own advice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The image could not be had or read.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// The document could not be understood.
    #[error("cannot read the document `{name}`: {why}")]
    Document {
        /// As the user named it.
        name: String,
        /// Why not.
        why: String,
    },
    /// The directory could not be read.
    #[error("cannot read `{path}`: {why}")]
    Directory {
        /// As the user named it.
        path: String,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Image(error) => error.hint(),
            Self::Document { .. } => Some(format::UNDERSTOOD),
            Self::Directory { .. } => None,
        }
    }
}
