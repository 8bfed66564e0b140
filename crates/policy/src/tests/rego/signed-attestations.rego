# METADATA
# title: Attestations are signed
# custom:
#   name: signed-attestations
#   result_type: generic
#   details_order:
#   - predicate
#   - reason
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

wanted := {"https://spdx.dev/Document", "https://slsa.dev/provenance/v1"}

options := {"key_ref": "cosign.pub", "ignore_tlog": true}

images := [attestation.image | some kind in wanted; attestation := oci.referrer(kind); attestation]

results := cosign.verify_images(images, options)

violation contains v if {
	some kind in wanted
	is_null(oci.referrer(kind))
	v := told(kind, sprintf("%s is missing", [kind]))
}

violation contains v if {
	some kind in wanted
	attestation := oci.referrer(kind)
	answer := cosign.verify_dsse(attestation.envelope, options)
	answer.error
	v := told(kind, sprintf("envelope of %s: %s", [kind, answer.error]))
}

violation contains v if {
	some kind in wanted
	attestation := oci.referrer(kind)
	reason := results[attestation.image].error
	reason == cosign.verify_image(attestation.image, options).error
	v := told(kind, sprintf("signature of %s: %s", [kind, reason]))
}

violation contains v if {
	some kind in wanted
	attestation := oci.referrer(kind)
	subjects := {concat(":", ["sha256", subject.digest.sha256]) | some subject in attestation.statement.subject}
	not input.source.image.digest in subjects
	v := told(kind, sprintf("%s is about another image", [kind]))
}

told(kind, message) := {"message": message, "detail": {"predicate": kind, "reason": message}}
