//! A forgotten password: whoever runs the server makes an address at which another is chosen.

use model::{Act, Moment};
use store::{Error, Store};

use super::{Kind, minted};

/// For how many seconds the address is good.
const GOOD: i64 = 86_400;

/// The address, below `root` (`https://foretop.example`), at which that person chooses another
/// password, once and within a day. One that was made before is good no more.
pub async fn offer_reset(
    store: &Store,
    act: &Act,
    root: &str,
    name: &str,
) -> Result<(String, Moment), Error> {
    let user = store.user(name).await?;
    if user.disabled.is_some() {
        return Err(Error::Refused {
            what: format!("user `{}`", user.name),
            why: "they may not log in, whatever their password is".to_owned(),
            hint: Some(format!("foretop admin enable {}", user.name)),
        });
    }
    let minted = minted(Kind::Reset)
        .map_err(|it| Error::Unavailable { what: "secret".to_owned(), why: it.0.detail })?;
    let until = act.at.plus_seconds(GOOD);
    store.offer_reset(act, &user.id, &minted.hash, until).await?;
    Ok((format!("{}/reset/{}", root.trim_end_matches('/'), minted.text), until))
}
