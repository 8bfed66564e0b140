//! What is signed and by whom, of signatures that cosign and openssl made; and laws.

mod dockerfiles;
mod laws;
mod openssl;
mod provenances;

use model::Digest;

use crate::*;

const MANIFEST: &[u8] = include_bytes!("../fixtures/cosign/manifest.json");
const OTHER: &str = include_str!("../fixtures/cosign/other.pub");

/// What cosign made with one key.
#[derive(Clone, serde::Deserialize)]
struct Made {
    key: String,
    payload: String,
    signature: String,
    envelope: String,
    bundles: Vec<String>,
    #[serde(default)]
    message: Option<String>,
}

fn made() -> Vec<Made> {
    [
        include_str!("../fixtures/cosign/p256.json"),
        include_str!("../fixtures/cosign/p384.json"),
        include_str!("../fixtures/cosign/rsa.json"),
    ]
    .map(|it| serde_json::from_str(it).unwrap())
    .into()
}

/// cosign signs by such keys as Ed25519ph does.
fn edwards() -> Made {
    serde_json::from_str(include_str!("../fixtures/cosign/ed25519.json")).unwrap()
}

fn key(pem: &str) -> Key {
    Key::read(pem.as_bytes()).unwrap()
}

fn digest_of(bytes: &[u8]) -> Digest {
    format!("sha256:{}", crate::key::sha256(bytes)).parse().unwrap()
}

/// What comes of all that is in `made`, one line each.
fn judged(made: &Made, pem: &str, manifest: &[u8], log: Log) -> Vec<String> {
    let (key, digest) = (key(pem), digest_of(manifest));
    let artifact = Artifact { digest: &digest, bytes: Some(manifest) };
    let told = |what: &str, it: Result<Proof, Refused>| match it {
        Ok(proof) => {
            assert_eq!(proof.key, key.id());
            format!("{what}: {}", proof.algorithm)
        }
        Err(why) => format!("{what}: {why}"),
    };
    let Made { payload, signature, .. } = made;
    let signed = SimpleSigning { payload: payload.as_bytes(), signature, certificate: false };
    let envelope = Envelope::read(made.envelope.as_bytes()).unwrap();
    let bundle = |text: &String| {
        let bundle = Bundle::read(text.as_bytes()).unwrap();
        bundle.verify(&artifact, &key, log).map(|(_, proof)| proof)
    };
    let mut all = vec![
        told("signature", signed.verify(&artifact, &key, log).map(|it| it.1)),
        told("envelope", envelope.verify_about(&artifact, &key, log).map(|it| it.1)),
    ];
    all.extend(made.bundles.iter().map(|it| told("bundle", bundle(it))));
    all.extend(made.message.iter().map(|it| told("message", bundle(it))));
    all
}

#[test]
fn what_cosign_signed_is_verified_with_its_key() {
    for (made, algorithm) in made().iter().zip(["ECDSA P-256", "ECDSA P-384", "RSA"]) {
        let all = judged(made, &made.key, MANIFEST, Log::Skipped);
        let whats = ["signature", "envelope", "bundle", "bundle", "message"];
        assert_eq!(all, whats.map(|it| format!("{it}: {algorithm}")));
    }
}

#[test]
fn what_cosign_hashed_before_it_signed_is_told() {
    let made = edwards();
    let refused = key(&made.key).refused();
    assert!(refused.hint().unwrap().contains("Ed25519ph"));
    for line in judged(&made, &made.key, MANIFEST, Log::Skipped) {
        assert_eq!(line.split_once(": ").unwrap().1, refused.to_string());
    }
}

#[test]
fn what_is_signed_comes_along() {
    for made in made() {
        let (key, digest) = (key(&made.key), digest_of(MANIFEST));
        let artifact = Artifact { digest: &digest, bytes: None };
        let envelope = Envelope::read(made.envelope.as_bytes()).unwrap();
        let (statement, _) = envelope.verify_about(&artifact, &key, Log::Skipped).unwrap();
        assert_eq!(crate::kind(&statement.predicate_type), "OpenVEX");
        assert!(statement.predicate.get().contains("CVE-2026-0001"));
        assert!(statement.is_openvex());
        let (payload, signature) = (made.payload.as_bytes(), &*made.signature);
        let signed = SimpleSigning { payload, signature, certificate: false };
        let (name, _) = signed.verify(&artifact, &key, Log::Skipped).unwrap();
        assert!(name.contains("/tea-"), "{name}");
        let kinds = made.bundles.iter().map(|it| {
            let bundle = Bundle::read(it.as_bytes()).unwrap();
            assert_eq!((bundle.log_entries, bundle.certificate), (0, false));
            crate::kind(&bundle.statement().unwrap().unwrap().predicate_type).into_owned()
        });
        let mut kinds: Vec<String> = kinds.collect();
        kinds.sort();
        assert_eq!(kinds, ["OpenVEX", "cosign signature"]);
    }
}

#[test]
fn another_key_is_refused() {
    let keys = made().into_iter().chain([edwards()]).map(|it| it.key);
    let keys: Vec<String> = keys.collect();
    for made in made() {
        for other in keys.iter().map(String::as_str).chain([OTHER]).filter(|it| *it != made.key) {
            let another = key(other).refused();
            for line in judged(&made, other, MANIFEST, Log::Skipped) {
                let (what, why) = line.split_once(": ").unwrap();
                let expect = match what {
                    // It tells the hash of its key.
                    "bundle" | "message" => Refused::OtherKey,
                    _ => another.clone(),
                };
                assert_eq!(why, expect.to_string(), "{what}");
            }
        }
    }
}

#[test]
fn another_image_is_refused() {
    let other = String::from_utf8_lossy(MANIFEST).replace("163", "164");
    for made in made() {
        for line in judged(&made, &made.key, other.as_bytes(), Log::Skipped) {
            let (was, is) = (digest_of(MANIFEST), digest_of(other.as_bytes()));
            let (what, why) = line.split_once(": ").unwrap();
            let is_p384 = made.message.as_ref().is_some_and(|it| it.contains("SHA2_384"));
            let expect = match what {
                "message" if is_p384 => key(&made.key).refused().to_string(),
                _ => format!("it is about {was}, not about {is}"),
            };
            assert_eq!(why, expect);
        }
    }
}

#[test]
fn altered_content_is_refused() {
    for made in made() {
        let another = key(&made.key).refused();
        let altered = Made {
            payload: made.payload.replace("optional", "0ptional"),
            envelope: with_payload(&made.envelope),
            bundles: made.bundles.iter().map(|it| with_payload(it)).collect(),
            message: None,
            ..made.clone()
        };
        assert_ne!(altered.payload, made.payload);
        for line in judged(&altered, &made.key, MANIFEST, Log::Skipped) {
            assert_eq!(line.split_once(": ").unwrap().1, another.to_string());
        }
        // The type of what is signed is signed, too.
        let mut envelope = Envelope::read(made.envelope.as_bytes()).unwrap();
        envelope.payload_type.push('x');
        let refused = envelope.verify(&key(&made.key), Log::Skipped);
        assert_eq!(refused, Err(another));
    }
}

/// The same, where another letter of what is signed is a capital.
fn with_payload(text: &str) -> String {
    let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
    let at = if json["payload"].is_string() { "/payload" } else { "/dsseEnvelope/payload" };
    let payload = json.pointer_mut(at).unwrap();
    let bytes = crate::bounded::decoded(payload.as_str().unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap().replacen("_type", "_Type", 1);
    *payload = crate::bounded::encoded(text.as_bytes()).into();
    json.to_string()
}

#[test]
fn the_log_is_not_said_to_have_it() {
    for made in made() {
        for line in judged(&made, &made.key, MANIFEST, Log::Required) {
            assert!(line.ends_with(&Refused::Unlogged.to_string()), "{line}");
        }
    }
}

#[test]
fn a_certificate_is_no_key() {
    let digest = digest_of(MANIFEST);
    let artifact = Artifact { digest: &digest, bytes: Some(MANIFEST) };
    for made in made() {
        let key = key(&made.key);
        let (payload, signature) = (made.payload.as_bytes(), &*made.signature);
        let signed = SimpleSigning { payload, signature, certificate: true };
        let refused = signed.verify(&artifact, &key, Log::Skipped).unwrap_err();
        assert_eq!(refused, Refused::Keyless);
        // Whether it has run out is not even asked: certificates live for ten minutes.
        for material in [r#""certificate":{"rawBytes":""}"#, r#""x509CertificateChain":{}"#] {
            let mut bundle: serde_json::Value = serde_json::from_str(&made.bundles[0]).unwrap();
            let material = format!("{{{material}}}");
            bundle["verificationMaterial"] = serde_json::from_str(&material).unwrap();
            let bundle = Bundle::read(bundle.to_string().as_bytes()).unwrap();
            let refused = bundle.verify(&artifact, &key, Log::Skipped).unwrap_err();
            assert_eq!(refused, Refused::Keyless);
        }
    }
}

#[test]
fn nothing_proves_nothing() {
    let made = &made()[0];
    let (key, digest) = (key(&made.key), digest_of(MANIFEST));
    let artifact = Artifact { digest: &digest, bytes: None };
    let empty = SimpleSigning { payload: b"{}", signature: "", certificate: false };
    assert_eq!(empty.verify(&artifact, &key, Log::Skipped), Err(Refused::Unsigned));
    let mut envelope = Envelope::read(made.envelope.as_bytes()).unwrap();
    envelope.signatures.clear();
    assert_eq!(envelope.verify(&key, Log::Skipped), Err(Refused::Unsigned));
    let message = Bundle::read(made.message.as_ref().unwrap().as_bytes()).unwrap();
    let refused = message.verify(&artifact, &key, Log::Skipped).unwrap_err();
    assert!(matches!(refused, Refused::Absent(_)), "{refused}");
    let artifact = Artifact { digest: &digest, bytes: Some(b"{}") };
    let refused = message.verify(&artifact, &key, Log::Skipped).unwrap_err();
    assert!(matches!(refused, Refused::Absent(_)), "{refused}");
}

/// What is said of a file that is to be a key.
#[track_caller]
fn check_key(pem: &str, expect: &str) {
    let told = match Key::read(pem.as_bytes()) {
        Ok(key) => key.algorithm().to_owned(),
        Err(why) => why.to_string(),
    };
    assert_eq!(told, expect);
}

#[test]
fn tells_what_is_no_key() {
    const SHORT: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC8qf01vAD4kD1BcWBVDs/1cGaD
gZthwnWusVSuPAC0fjSmEhAu5GQyJzM2s+c5YbgIasjlihvAn7ty3FD4N/6lXzjB
5E/SRJMB1ix7NOlTX0AQCfSh98jBpHMqpciUIikP6X3bpnBosuEQvLQCcFwn4W0H
JpSywA34udUQE2GprQIDAQAB
-----END PUBLIC KEY-----
";
    const P521: &str = "-----BEGIN PUBLIC KEY-----
MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBVIEVOtbZyuKSC0vSHlO+H4W712bp
XMiLSQdafTxfysCKQvuw1KSdYUEIhxgjwROm08sN3m2K63HL4IuSmKdxpEIBXhD6
0+i7dvirxdrH6GTj42/EEHLAujOof+NaUtziWGv/qCaJuxwnB9lFEuoEvURLmGJY
pqcFK85NsjBBn3d5x+g=
-----END PUBLIC KEY-----
";
    check_key(OTHER, "ECDSA P-256");
    check_key("", "it is no public key: no `-----BEGIN PUBLIC KEY-----` is in it");
    check_key(&OTHER.repeat(2), "it is no public key: there are 2 in it; name one");
    check_key(SHORT, "it is no public key: its RSA modulus has 1024 bits, not 2048 to 8192");
    check_key(
        P521,
        "it is no public key: ECDSA of P-256 and P-384, Ed25519 and RSA are understood, and it is \
         none of these",
    );
    check_key(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nYQ==\n",
        "it is no public key: it is a private one; keep it to yourself",
    );
    check_key(
        "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
        "it is no public key: it is a certificate",
    );
    let broken = OTHER.replace("MFkwEwYH", "MFgwEwYH");
    check_key(&broken, "it is no public key: its DER is broken");
}

#[test]
fn predicate_types_have_names() {
    for (kind, name) in [
        ("https://spdx.dev/Document", "SPDX"),
        ("https://spdx.dev/Document/v2.3", "SPDX"),
        ("https://spdx.dev/Documents", "https://spdx.dev/Documents"),
        ("https://cyclonedx.org/bom", "CycloneDX"),
        ("https://cyclonedx.org/bom/v1.6", "CycloneDX 1.6"),
        ("https://slsa.dev/provenance/v0.2", "SLSA provenance 0.2"),
        ("https://slsa.dev/provenance/v1", "SLSA provenance 1"),
        ("https://slsa.dev/verification_summary/v1", "SLSA verification summary 1"),
        ("https://in-toto.io/attestation/vulns/v0.1", "in-toto vulnerabilities"),
        ("https://openvex.dev/ns", "OpenVEX"),
        ("https://openvex.dev/ns/v0.2.0", "OpenVEX"),
        ("https://scout.docker.com/health/v0.1", "Scout health score"),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", "cosign vulnerabilities"),
        ("https://cosign.sigstore.dev/attestation/v1", "cosign custom"),
        ("https://docker.com/dhi/fips/v0.1", "DHI FIPS compliance"),
        ("", ""),
    ] {
        assert_eq!(crate::kind(kind), name);
    }
}
