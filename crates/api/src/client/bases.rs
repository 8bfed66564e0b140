//! What is asked about base images.

use http::Method;

use super::{Client, Error, within};
use crate::words::{Base, BaseQuery, Below, Forgotten, Layered, Learned, Learning, Page};

impl Client {
    /// The bases that were taught.
    pub async fn bases(&self, organisation: &str, query: &BaseQuery) -> Result<Page<Base>, Error> {
        self.get(&within(organisation, &["bases"]), query).await
    }

    /// Teaches that images are bases of others.
    pub async fn learn_bases(
        &self,
        organisation: &str,
        learning: &Learning,
    ) -> Result<Learned, Error> {
        self.send(Method::POST, &within(organisation, &["bases"]), learning).await
    }

    /// Forgets all that was taught under that name.
    pub async fn forget_base(&self, organisation: &str, name: &str) -> Result<Forgotten, Error> {
        let path = within(organisation, &["bases", name]);
        self.call(Method::DELETE, &path, &super::NOTHING, None).await
    }

    /// The images whose layers are the beginning of these.
    pub async fn below(&self, organisation: &str, layered: &Layered) -> Result<Below, Error> {
        self.send(Method::POST, &within(organisation, &["layers"]), layered).await
    }
}
