//! What is asked about exceptions: flaws that are out of the way because a team decided so.

use http::Method;

use super::{Client, Error, NOTHING, within};
use crate::words::{Excepting, Exception, ExceptionKept, Page};

impl Client {
    /// The exceptions of an organisation.
    pub async fn exceptions(&self, organisation: &str) -> Result<Page<Exception>, Error> {
        self.get(&within(organisation, &["exceptions"]), &NOTHING).await
    }

    /// One of them.
    pub async fn exception(&self, organisation: &str, name: &str) -> Result<Exception, Error> {
        self.get(&within(organisation, &["exceptions", name]), &NOTHING).await
    }

    /// Takes flaws out of the way, instead of those that were under that name.
    pub async fn put_exception(
        &self,
        organisation: &str,
        name: &str,
        excepting: &Excepting,
    ) -> Result<ExceptionKept, Error> {
        let path = within(organisation, &["exceptions", name]);
        self.send(Method::PUT, &path, excepting).await
    }

    /// They are not out of the way any more.
    pub async fn delete_exception(&self, organisation: &str, name: &str) -> Result<(), Error> {
        let path = within(organisation, &["exceptions", name]);
        self.bytes(Method::DELETE, &path, &NOTHING, None).await.map(|_| ())
    }
}
