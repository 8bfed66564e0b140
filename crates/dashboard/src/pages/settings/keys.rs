//! What programs show to speak in an organisation's name.

use api::{NewToken, Scope, Token, TokenQuery};
use axum::response::Response;

use super::{Made, done};
use crate::html::Html;
use crate::refused::Refused;
use crate::severity::mark;
use crate::table::{Cell, Table, column};
use crate::typed;
use crate::visit::{Form, Visit};

pub(super) const SCOPES: [Scope; 3] = [Scope::Read, Scope::Write, Scope::Admin];

/// Those of the organisation, and those of them that are good: ids, with their names.
pub(super) struct Keys {
    pub(super) table: Table,
    pub(super) good: Vec<(String, String)>,
}

pub(super) async fn tokens(visit: &Visit) -> Result<Keys, Refused> {
    let listed = visit.list_by("tokens", "tokens", async |after, limit| {
        let query = TokenQuery { after, limit: Some(limit), ..TokenQuery::default() };
        visit.client.tokens(Some(visit.organisation()), &query).await
    });
    let listed = listed.await?;
    let columns = vec![
        column("name", "Name"),
        column("prefix", "Begins with"),
        column("scope", "May"),
        column("created", "Since"),
        column("created_by", "Made by"),
        column("last_used", "Last used"),
        column("expires", "Good until"),
    ];
    let text = Html::text("The organization has no token of its own. To make one for a CI: ");
    let command = format!(
        "foretop token create ci --org {} --scope write",
        typed::word(visit.organisation())
    );
    let command = Html::tag("code", &[], Html::text(&command));
    let nothing = Html::tag("p", &[], text.and(&command));
    let mut table = Table::new("tokens", "Tokens of the organization", columns).or_else(nothing);
    for it in &listed.items {
        table.push(token(visit, it));
    }
    table.goes_on_by(visit, "tokens", listed.next.as_deref());
    let good = listed.items.into_iter().filter(|it| it.revoked.is_none());
    Ok(Keys { table, good: good.map(|it| (it.id, it.name)).collect() })
}

fn token(visit: &Visit, it: &Token) -> Vec<Cell> {
    let until = match (&it.revoked, &it.expires) {
        (Some(at), _) => {
            Cell::when(at, visit.now).marked(&mark("quiet", "revoked", "It is good no more."))
        }
        (None, Some(at)) => Cell::when(at, visit.now),
        (None, None) => Cell::text("it is revoked"),
    };
    vec![
        Cell::text(&it.name),
        Cell::code(&it.prefix),
        Cell::text(word(it.scope)),
        Cell::when(&it.created, visit.now),
        Cell::text(&it.created_by),
        Cell::when_if(it.last_used.as_deref(), visit.now),
        until,
    ]
}

pub(super) fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Admin => "admin",
    }
}

/// What owners do with tokens; none where it is something else.
pub(super) async fn take(visit: &Visit, form: &Form) -> Result<Option<Response>, Refused> {
    let organisation = Some(visit.organisation());
    match form.text("do") {
        Some("token") => {
            let asked = form.need("scope")?;
            let scope = SCOPES.into_iter().find(|it| word(*it) == asked).ok_or_else(|| {
                Refused::from(api::Sort::Malformed.because(format!("scope: `{asked}` is none")))
            })?;
            let days = form.whole("days")?;
            let until = |days: u32| visit.now.plus_seconds(i64::from(days) * 86_400).to_string();
            let name = form.need("name")?.to_owned();
            let sent = NewToken { name, scope, expires: days.map(until) };
            let made = visit.client.create_token(organisation, &sent).await?;
            let what = "Give it to the program that is to show it: as `FORETOP_TOKEN`, or as the password \
                        of `docker login`. It is shown once.";
            return Ok(Some(Made::Word(made.secret).shown(visit, "Token", what)));
        }
        Some("revoke") => visit.client.revoke_token(organisation, form.need("token")?).await?,
        _ => return Ok(None),
    }
    Ok(Some(done(visit)))
}
