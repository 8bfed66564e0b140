# METADATA
# title: No unapproved base images
# description: The image is built on an image that is allowed.
# custom:
#   name: approved-base-images
#   result_type: generic
#   weight: 15
#   not_compliant_title: Unapproved base images found
#   details_order:
#   - image
#   - reason
package docker.scout

import rego.v1

# Patterns of references that are allowed; `*` stands for any text.
allowed_base_images := object.get(data.config, "allowed_base_images", ["*"])

# Whether the distribution must be one of those below.
allowed_distros_only := object.get(data.config, "allowed_distros_only", true)

# Distributions whose publishers mend flaws: `debian` for any release of it, `debian:12` for one.
allowed_distros := object.get(data.config, "allowed_distros", [
	"almalinux",
	"alpine",
	"amzn",
	"azurelinux",
	"chainguard",
	"debian",
	"distroless",
	"fedora",
	"ol",
	"opensuse-leap",
	"photon",
	"rhel",
	"rocky",
	"sles",
	"ubuntu",
	"wolfi",
])

# Keys in PEM: who signs provenance by one of them is believed where no layers bear it out.
provenance_keys := object.get(data.config, "provenance_keys", [])

default pass := false

pass if count(violation) == 0

bases := scout.base_image()

base := bases[0] if count(bases) > 0

reference(image) := sprintf("%s:%s", [oci.canonical_name(image.name), image.tag]) if image.tag

reference(image) := oci.canonical_name(image.name) if not image.tag

not_applicable contains "only images have a base image, and this is none" if not input.source.image

unknown contains "the base image is unknown" if is_null(bases)

# Where every image is allowed, nothing rests on which one it is.
unknown contains sprintf("the base image is stated to be %s, and not verified: its layers are not known", [reference(base)]) if {
	base.stated
	not "*" in allowed_base_images
	not is_believed
}

is_believed if {
	base.statement
	some key in provenance_keys
	signed := cosign.verify_image(base.statement, {"key_ref": key, "ignore_tlog": true})
	is_object(signed)
	not signed.error
}

violation contains {
	"message": sprintf("The base image %s is not allowed", [reference(base)]),
	"detail": {"image": reference(base), "reason": "matches no pattern that is allowed"},
	"remediation": sprintf("Build on an image that matches %s.", [concat(" or ", allowed_base_images)]),
} if {
	not is_allowed(base)
}

violation contains {
	"message": sprintf("The distribution %s of the base image is not allowed", [distro]),
	"detail": {"image": reference(base), "reason": sprintf("is built on %s", [distro])},
	"remediation": "Build on an image of a distribution that is allowed.",
} if {
	allowed_distros_only
	not distro in allowed_distros
	not split(distro, ":")[0] in allowed_distros
	base
}

violation contains {
	"message": sprintf("The distribution %s of the base image has no support since %s", [distro, support.until]),
	"detail": {"image": reference(base), "reason": sprintf("end of life since %s", [support.until])},
	"remediation": "Build on a release that is still supported.",
} if {
	allowed_distros_only
	support := input.analysis.support
	support.until
	time.now_ns() >= time.parse_rfc3339_ns(sprintf("%sT00:00:00Z", [support.until])) + 86400000000000
	base
}

violation contains {
	"message": sprintf("The tag of the base image %s is not supported any more", [reference(base)]),
	"detail": {"image": reference(base), "reason": "its tag is not supported"},
	"remediation": "Build on a tag that its publisher still supports.",
} if {
	base.supported == false
}

# A text that any part of a reference may be compared with: `*` reaches over every sign.
is_allowed(image) if {
	some pattern in allowed_base_images
	some name in {reference(image), image.name} | digests(image)
	glob.match(pattern, null, name)
}

digests(image) := {sprintf("%s@%s", [reference(image), image.digest])} if image.digest

digests(image) := set() if not image.digest

# What the image says it is built on.
distro := sprintf("%s:%s", [os.os_name, os.os_version]) if {
	os := input.source.image.distro
	os.os_version
}

distro := input.source.image.distro.os_name if not input.source.image.distro.os_version
