//! The first start: nobody may log in yet, so whoever reads the server's first words may.

use model::{Act, OrganisationId, Role};
use store::{Error, Store};

use super::{Kind, minted};
use crate::app::App;
use crate::caller::Access;

/// Who invites the first owner.
const WHO: &str = "first start";
/// For how many seconds the invitation is good.
const GOOD: i64 = 7 * 86_400;

/// Where nobody may log in yet: makes the organisation if it is not there, invites its owner, and
/// tells the address, below `root` (`https://foretop.example`), where they choose name and password.
///
/// An address told at an earlier start is good no more. Afterwards there is nothing to tell.
pub async fn first_start(
    app: &App,
    root: &str,
    organisation: &str,
) -> Result<Option<String>, Error> {
    let Access::People(people) = &app.access else { return Ok(None) };
    if !app.store.first_start().await? {
        return Ok(None);
    }
    let act = Act { who: WHO.to_owned(), origin: String::new(), at: app.now() };
    let made = match app.store.organisation(organisation).await {
        Err(Error::NotFound { .. }) => {
            match app.store.create_organisation(&act, organisation).await {
                // Another process was faster.
                Err(Error::Exists { .. }) => app.store.organisation(organisation).await?,
                made => made?,
            }
        }
        found => found?,
    };
    forget_first(&app.store, &made.id, &act).await?;
    let minted = minted(Kind::Invitation)
        .map_err(|it| Error::Unavailable { what: "secret".to_owned(), why: it.0.detail })?;
    let until = act.at.plus_seconds(GOOD);
    app.store.invite(&made.id, &act, &minted.hash, Role::Owner, until).await?;
    people.forget();
    Ok(Some(format!("{}/first/{}", root.trim_end_matches('/'), minted.text)))
}

/// Takes back what first starts invited to.
pub(crate) async fn forget_first(
    store: &Store,
    organisation: &OrganisationId,
    act: &Act,
) -> Result<(), Error> {
    for invitation in store.invitations(organisation, act.at).await? {
        if invitation.created_by == WHO {
            store.revoke_invitation(organisation, act, &invitation.id).await?;
        }
    }
    Ok(())
}
