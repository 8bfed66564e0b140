# METADATA
# title: No outdated base images
# description: The image is built on what its base image's tag stands for now.
# custom:
#   name: no-stale-base-images
#   result_type: generic
#   weight: 10
#   not_compliant_title: Outdated base images found
#   details_order:
#   - image
#   - digest
#   - current
package docker.scout

import rego.v1

default pass := false

pass if {
	count(violation) == 0
	count(unknown) == 0
}

bases := scout.base_image()

base := bases[0] if count(bases) > 0

reference := sprintf("%s:%s", [oci.canonical_name(base.name), base.tag])

not_applicable contains "only images have a base image, and this is none" if not input.source.image

unknown contains "the base image is unknown" if is_null(bases)

unknown contains sprintf("the tag of the base image %s is unknown", [base.name]) if not base.tag

unknown contains sprintf("the digest of the base image %s is unknown", [base.name]) if {
	not base.digest
	not base.newer
}

unknown contains sprintf("there is no image %s any more", [reference]) if {
	base.digest
	is_null(oci.image_digest(reference))
}

unknown contains sprintf("the base image is stated to be %s, and not verified: its layers are not known", [base.name]) if base.stated

# Its own digest, or that of the index it is in.
used := {base.digest} | {digest | digest := base.index_digest}

violation contains {
	"message": sprintf("%s has changed since the image was built", [reference]),
	"detail": {"image": reference, "digest": base.digest, "current": current},
	"remediation": sprintf("Build again with `--pull`: %s is %s now.", [reference, current]),
} if {
	base.digest
	current := oci.image_digest(reference)
	not is_null(current)
	not current in used
}

# Whoever knows images that the tag led to knows when it leads to another one.
violation contains {
	"message": sprintf("%s has changed since the image was built", [reference]),
	"detail": {"image": reference, "digest": base.newer.than, "current": base.newer.digest},
	"remediation": sprintf("Build again with `--pull`: %s is %s now.", [reference, base.newer.digest]),
} if {
	not base.digest
	base.newer
}
