//! Who may log in, as whoever runs the server says.

use model::{Act, Membership, Moment, User};
use serde_json::json;
use store::{Page, Store};

use super::super::Outcome;
use crate::house::Database;
use crate::table::{Format, columns, second};
use crate::{Context, whence};

/// Where a server listens when nobody says.
const USUAL: &str = "http://127.0.0.1:8080";

pub(super) async fn list(
    context: &Context,
    format: Format,
    database: &Database,
) -> anyhow::Result<Outcome> {
    let store = database.found(context).await?;
    let people = everybody(&store).await?;
    store.close().await;
    let told = |(user, in_them): &(User, Vec<Membership>)| {
        let role =
            |it: &Membership| json!({ "organisation": it.organisation.name, "role": it.role });
        json!({
            "name": user.name,
            "created": user.created,
            "disabled": user.disabled,
            "organisations": in_them.iter().map(role).collect::<Vec<_>>(),
        })
    };
    let row = |(user, in_them): &(User, Vec<Membership>)| {
        let roles = in_them.iter().map(|it| format!("{} of {}", it.role, it.organisation.name));
        let roles: Vec<String> = roles.collect();
        let since = |it: Moment| second(&it.to_string());
        let may = user.disabled.map_or("yes".to_owned(), |it| format!("not since {}", since(it)));
        vec![user.name.clone(), may, since(user.created), roles.join(", ")]
    };
    let values: Vec<_> = people.iter().map(told).collect();
    context.messages.tell_as(format, &values, || {
        columns(&["Name", "May log in", "Since", "Is"], people.iter().map(row).collect())
    })?;
    Ok(Outcome::Done)
}

async fn everybody(store: &Store) -> anyhow::Result<Vec<(User, Vec<Membership>)>> {
    let (mut people, mut after) = (Vec::new(), None);
    loop {
        let page = store.users(&Page { after, limit: 1000 }).await?;
        for user in page.rows {
            let memberships = store.memberships(&user.id).await?;
            people.push((user, memberships));
        }
        after = page.next;
        if after.is_none() {
            return Ok(people);
        }
    }
}

pub(super) async fn reset(
    context: &Context,
    name: &str,
    public_url: Option<&str>,
    database: &Database,
) -> anyhow::Result<Outcome> {
    let settled = context.environment.public_url()?;
    let root = public_url.or(settled.as_deref());
    let store = database.found(context).await?;
    let root_or_usual = root.unwrap_or(USUAL);
    let (link, until) = server::offer_reset(&store, &act(context), root_or_usual, name).await?;
    store.close().await;
    context.messages.report(&format!("{link}\n"))?;
    context.messages.inform(&format!(
        "Good once, until {}: with a browser, or `foretop login` and this address",
        second(&until.to_string())
    ));
    if root.is_none() {
        context.messages.inform("--public-url says how people reach the server");
    }
    Ok(Outcome::Done)
}

pub(super) async fn disable(
    context: &Context,
    name: &str,
    disabled: bool,
    database: &Database,
) -> anyhow::Result<Outcome> {
    let store = database.found(context).await?;
    let user = store.user(name).await?;
    let changed = store.disable_user(&act(context), &user.id, disabled).await?;
    store.close().await;
    let messages = &context.messages;
    match (disabled, changed) {
        (true, true) => messages
            .done(&format!("Successfully disabled {name}; a server notices within a second")),
        (false, true) => messages.done(&format!("Successfully enabled {name}")),
        (true, false) => messages.inform(&format!("{name} may not log in anyway")),
        (false, false) => messages.inform(&format!("{name} may log in anyway")),
    }
    Ok(Outcome::Done)
}

pub(super) async fn forget(
    context: &Context,
    name: &str,
    force: bool,
    database: &Database,
) -> anyhow::Result<Outcome> {
    let store = database.found(context).await?;
    let user = store.user(name).await?;
    if !force && !confirmed(name, context)? {
        store.close().await;
        return Ok(Outcome::Done);
    }
    store.delete_user(&act(context), &user.id).await?;
    store.close().await;
    context.messages.done(&format!("Successfully forgot {name}; events still tell their name"));
    Ok(Outcome::Done)
}

fn confirmed(name: &str, context: &Context) -> anyhow::Result<bool> {
    let hint = "--force forgets without asking; `foretop admin disable` can be taken back";
    let question = || format!("Forget {name}, with their sessions and tokens?");
    context.messages.confirmed(&format!("admin forget {name}"), question, hint)
}

/// Whoever may open the database, now.
pub(super) fn act(context: &Context) -> Act {
    let environment = &context.environment;
    Act {
        who: format!("{} (admin)", whence::user(environment)),
        origin: whence::origin(environment),
        at: Moment::from_micros(jiff::Timestamp::now().as_microsecond()),
    }
}
