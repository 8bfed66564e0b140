//! What is asked about schedules: what is checked again and again.

use http::Method;

use super::{Client, Error, NOTHING, within};
use crate::words::{Page, Schedule, Scheduled, Scheduling};

impl Client {
    /// The schedules of an organisation.
    pub async fn schedules(&self, organisation: &str) -> Result<Page<Schedule>, Error> {
        self.get(&within(organisation, &["schedules"]), &NOTHING).await
    }

    /// One of them.
    pub async fn schedule(&self, organisation: &str, name: &str) -> Result<Schedule, Error> {
        self.get(&within(organisation, &["schedules", name]), &NOTHING).await
    }

    /// Has something checked again and again, instead of what was checked under that name.
    pub async fn put_schedule(
        &self,
        organisation: &str,
        name: &str,
        scheduling: &Scheduling,
    ) -> Result<Scheduled, Error> {
        let path = within(organisation, &["schedules", name]);
        self.send(Method::PUT, &path, scheduling).await
    }

    /// Has something checked no more.
    pub async fn delete_schedule(&self, organisation: &str, name: &str) -> Result<(), Error> {
        let path = within(organisation, &["schedules", name]);
        self.bytes(Method::DELETE, &path, &NOTHING, None).await.map(|_| ())
    }

    /// Has a schedule checked now; what comes of it is in the schedule when it is not due any more.
    pub async fn run_schedule(&self, organisation: &str, name: &str) -> Result<Schedule, Error> {
        let path = within(organisation, &["schedules", name, "runs"]);
        self.call(Method::POST, &path, &NOTHING, None).await
    }
}
