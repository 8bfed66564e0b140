# METADATA
# title: The base image is fresh
# custom:
#   name: fresh-base
#   result_type: generic
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

bases := scout.base_image()

violation contains {"message": "no base image is known", "detail": {}} if {
	is_null(bases)
}

violation contains v if {
	some base in bases
	name := oci.canonical_name(base.name)
	reference := concat(":", [name, base.tag])
	now := oci.image_digest(reference)
	now != base.digest
	index := oci.index(reference, now)
	count(index.manifests) > 0
	referrers := oci.referrer_index(reference, now)
	some manifest in referrers.manifests
	oci.referrer_by_digest(reference, manifest.digest).statement
	v := {
		"message": sprintf("%s:%s is %s by now, not %s", [base.name, base.tag, now, base.digest]),
		"detail": {"base": reference},
		"remediation": "Build it again.",
	}
}
