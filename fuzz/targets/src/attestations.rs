//! What is stated beside an image: statements, provenance, envelopes, bundles, keys and Dockerfiles; and what
//! the signatures are worth.

use std::collections::BTreeMap;

use attestation::{
    Artifact, Bundle, Dockerfile, Envelope, From, Key, Log, Provenance, SimpleSigning, Statement,
};

const KEY: &str = include_str!("../../seeds/attestations/key.pem");
const DIGEST: &str = "sha256:32c79bea053f28c32d59eb8a578f300d88ed488eb460ec418c733b88dbe0f5d5";

/// Runs it once.
pub fn run(input: &[u8]) {
    let key = Key::read(KEY.as_bytes()).expect("it is one");
    let digest = DIGEST.parse().expect("it is one");
    let artifact = Artifact { digest: &digest, bytes: Some(input) };
    if let Ok(statement) = Statement::read(input) {
        if let Ok(provenance) = Provenance::read(&statement)
            && let Ok(dockerfile) = &provenance.dockerfile
        {
            walk(dockerfile, provenance.target.as_deref());
        }
        let again = Statement::read(statement.to_json().as_bytes()).expect("it was one");
        assert_eq!(
            (again.subjects, again.predicate_type),
            (statement.subjects, statement.predicate_type)
        );
    }
    if let Ok(envelope) = Envelope::read(input) {
        let again = Envelope::read(envelope.to_json().as_bytes());
        assert_eq!(again.as_ref(), Ok(&envelope));
        assert!(envelope.verify(&key, Log::Required).is_err());
        if let Ok((statement, _)) = envelope.verify_about(&artifact, &key, Log::Skipped) {
            assert!(statement.is_about(&digest));
        }
    }
    if let Ok(bundle) = Bundle::read(input) {
        let verified = bundle.verify(&artifact, &key, Log::Skipped);
        assert!(verified.is_err() || !bundle.certificate);
    }
    let signed = SimpleSigning { payload: input, signature: "MAA=", certificate: false };
    assert!(signed.verify(&artifact, &key, Log::Skipped).is_err());
    let _ = Key::read(input);
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(dockerfile) = Dockerfile::read(text, &BTreeMap::new(), &BTreeMap::new())
    {
        walk(&dockerfile, None);
    }
}

/// Every stage has a beginning, and lines that come one after the other.
fn walk(dockerfile: &Dockerfile, target: Option<&str>) {
    let mut last = 0;
    for stage in &dockerfile.stages {
        assert!(last < *stage.lines.start() && stage.lines.start() <= stage.lines.end());
        last = *stage.lines.end();
        assert!(!matches!(dockerfile.bottom(stage).from, From::Stage(_)));
    }
    let _ = dockerfile.target(target);
}
