//! Whose word is taken for what is inside an image.

use attestation::{Key, Log, Statement};
use model::Digest;

use crate::contract::Stated;

/// Whom to believe. By default nobody: whoever can push beside an image may say anything of it.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Public keys, by the names that people give them.
    pub keys: Vec<(String, Key)>,
    /// Also what nobody has signed, as BuildKit leaves it: whoever may push the image is believed then.
    pub unsigned: bool,
}

impl Trust {
    /// Is nobody believed?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.unsigned
    }

    /// In whose name something is stated of that very image, if it is somebody who is believed; else why
    /// not. Whether a transparency log has the signature is not asked: the key alone is trusted.
    pub fn believes(&self, stated: &Stated, image: &Digest) -> Result<String, String> {
        let statement = Statement::read(&stated.bytes).map_err(|why| why.0)?;
        if !statement.is_about(image) {
            return Err(format!("it is about {}, not about {image}", statement.named()));
        }
        let mut refused = None;
        // What was found beside the image's index is not beside the image.
        let own = Stated { beside: image.clone(), ..stated.clone() };
        for (name, key) in self.keys.iter().filter(|_| own.seal.is_some()) {
            match own.verify(key, Log::Skipped) {
                Ok(_) => return Ok(format!("signed with {name}")),
                Err(why) => refused = Some(format!("{name}: {why}")),
            }
        }
        match refused {
            // Somebody else's signature is worse than none.
            Some(why) => Err(why),
            None if self.unsigned => Ok("signed by nobody that is known".to_owned()),
            None => Err("it is not signed by anybody who is believed".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use attestation::Envelope;

    use super::*;
    use crate::contract::{Place, Seal};
    use crate::verify::digest_of;

    const IMAGE: &[u8] = include_bytes!("../../attestation/fixtures/cosign/manifest.json");
    const SIGNED: &str = include_str!("../../attestation/fixtures/cosign/p256.json");
    const OTHER: &str = include_str!("../../attestation/fixtures/cosign/other.pub");

    fn stated(sealed: bool) -> (Stated, Key) {
        let signed: serde_json::Value = serde_json::from_str(SIGNED).unwrap();
        let envelope = signed["envelope"].as_str().unwrap().as_bytes().to_vec();
        let image = digest_of(IMAGE);
        let stated = Stated {
            predicate_type: "https://spdx.dev/Document".to_owned(),
            manifest: image.clone(),
            blob: image.clone(),
            beside: image,
            place: Place::Tag,
            bytes: Envelope::read(&envelope).unwrap().payload,
            seal: sealed.then_some(Seal::Envelope { bytes: envelope, certificate: false }),
        };
        (stated, Key::read(signed["key"].as_str().unwrap().as_bytes()).unwrap())
    }

    fn check(trust: &Trust, stated: &Stated, image: &Digest, expect: &str) {
        let told = trust.believes(stated, image).unwrap_or_else(|why| format!("no: {why}"));
        assert!(told.starts_with(expect), "{told}, not {expect}");
    }

    #[test]
    fn who_is_believed() {
        let (sealed, key) = stated(true);
        let (bare, _) = stated(false);
        let image = digest_of(IMAGE);
        let trust = |key: &Key, unsigned: bool| Trust {
            keys: vec![("cosign.pub".to_owned(), key.clone())],
            unsigned,
        };
        let other = Key::read(OTHER.as_bytes()).unwrap();
        let unsigned = Trust { unsigned: true, ..Trust::default() };
        assert!(Trust::default().is_empty() && !unsigned.is_empty());
        check(&trust(&key, false), &sealed, &image, "signed with cosign.pub");
        check(&trust(&key, false), &bare, &image, "no: it is not signed by anybody");
        check(&trust(&other, false), &sealed, &image, "no: cosign.pub: its signature is not one");
        check(&trust(&other, true), &sealed, &image, "no: cosign.pub: its signature is not one");
        check(&trust(&other, true), &bare, &image, "signed by nobody that is known");
        check(&unsigned, &sealed, &image, "signed by nobody that is known");
        check(&Trust::default(), &sealed, &image, "no: it is not signed by anybody");
        let another = digest_of(b"another");
        check(&trust(&key, true), &sealed, &another, "no: it is about sha256:");
        check(&unsigned, &bare, &another, "no: it is about sha256:");
        // It may have been found anywhere: what counts is what it is about.
        let moved = Stated { beside: another, ..sealed };
        check(&trust(&key, false), &moved, &image, "signed with cosign.pub");
        let junk = Stated { bytes: b"{".to_vec(), ..bare };
        check(&unsigned, &junk, &image, "no: it is no in-toto statement");
    }
}
