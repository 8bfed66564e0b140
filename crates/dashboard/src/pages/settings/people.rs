//! Who is in an organisation, who is invited, and what owners do about that.

use api::{Assigning, Disabling, Invitation, Member, NewInvitation, PageQuery, Role};
use axum::response::Response;

use super::{Made, done};
use crate::html::Html;
use crate::refused::Refused;
use crate::table::{Cell, Table, column, filed};
use crate::visit::{Form, Visit};

pub(super) const ROLES: [Role; 3] = [Role::Member, Role::Editor, Role::Owner];

/// Some of them, and their names.
pub(super) struct People {
    pub(super) table: Table,
    pub(super) names: Vec<String>,
}

/// Invitations: ids, and what people tell them apart by.
pub(super) struct Invitations {
    pub(super) table: Table,
    pub(super) open: Vec<(String, String)>,
}

pub(super) async fn members(visit: &Visit) -> Result<People, Refused> {
    let listed = visit.list_by("members", "members", async |after, limit| {
        let page = PageQuery { after, limit: Some(limit) };
        visit.client.members(visit.organisation(), &page).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("name", "Name"),
        column("role", "Role"),
        column("since", "Since"),
        column("state", "State"),
    ];
    let text = "Nobody is a member: whoever runs this server owns everything.";
    let nothing = Html::tag("p", &[], Html::text(text));
    let mut table = Table::new("members", "Members", columns).or_else(nothing);
    for it in &listed.items {
        table.push(member(visit, it));
    }
    table.goes_on_by(visit, "members", listed.next.as_deref());
    let names = listed.items.into_iter().map(|it| it.name).collect();
    Ok(People { table, names })
}

fn member(visit: &Visit, it: &Member) -> Vec<Cell> {
    let state = if it.disabled { Cell::text("may not log in") } else { Cell::text("may log in") };
    vec![
        Cell::text(&it.name),
        Cell::text(it.role.as_str()),
        Cell::when(&it.since, visit.now),
        state,
    ]
}

/// Those that nobody used yet.
pub(super) async fn invitations(visit: &Visit) -> Result<Invitations, Refused> {
    let all = visit.client.invitations(visit.organisation()).await?.items;
    let columns = vec![
        filed("invitation"),
        column("role", "As"),
        column("created_by", "By"),
        column("created", "Since"),
        column("expires", "Good until"),
    ];
    let nothing = Html::tag("p", &[], Html::text("No invitation is open."));
    let mut table = Table::new("invitations", "Open invitations", columns).or_else(nothing);
    for it in &all {
        table.push(invitation(visit, it));
    }
    let open = all.into_iter().map(|it| {
        let day = it.expires.get(..10).unwrap_or(&it.expires);
        let told = format!("{}, by {}, until {day}", it.role.as_str(), it.created_by);
        (it.id, told)
    });
    Ok(Invitations { table, open: open.collect() })
}

fn invitation(visit: &Visit, it: &Invitation) -> Vec<Cell> {
    vec![
        Cell::text(&it.id),
        Cell::text(it.role.as_str()),
        Cell::text(&it.created_by),
        Cell::when(&it.created, visit.now),
        Cell::when(&it.expires, visit.now),
    ]
}

/// What owners do with members and invitations; none where it is something else.
pub(super) async fn take(visit: &Visit, form: &Form) -> Result<Option<Response>, Refused> {
    let (client, organisation) = (&visit.client, visit.organisation());
    match form.text("do") {
        Some("invite") => {
            let days = form.whole("days")?;
            let sent = NewInvitation { role: role(form)?, days };
            let made = client.invite(organisation, &sent).await?;
            let what = "Whoever opens this address first chooses a name and a password, and is in. \
                        It is good once, and shown once.";
            return Ok(Some(Made::Link(made.path).shown(visit, "Invitation", what)));
        }
        Some("uninvite") => {
            client.revoke_invitation(organisation, form.need("invitation")?).await?;
        }
        Some("role") => {
            let sent = Assigning { role: role(form)? };
            client.put_member(organisation, form.need("member")?, &sent).await?;
        }
        Some("remove") => client.remove_member(organisation, form.need("member")?).await?,
        Some(word @ ("disable" | "enable")) => {
            let sent = Disabling { disabled: word == "disable" };
            client.disable_member(organisation, form.need("member")?, sent).await?;
        }
        _ => return Ok(None),
    }
    Ok(Some(done(visit)))
}

fn role(form: &Form) -> Result<Role, Refused> {
    let word = form.need("role")?;
    let found = ROLES.into_iter().find(|it| it.as_str() == word);
    found.ok_or_else(|| api::Sort::Malformed.because(format!("role: `{word}` is none")).into())
}
