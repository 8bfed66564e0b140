# METADATA
# title: Not too old
# description: The image was built not too long ago.
# custom:
#   name: maximum-age
#   opt_in: true
#   result_type: boolean
#   not_compliant_title: Image is too old
#   details_order:
#   - created
#   - days
package docker.scout

import rego.v1

# The most days since it was built.
days := object.get(data.config, "days", 90)

default pass := false

pass if {
	count(violation) == 0
	count(unknown) == 0
}

created := object.get(input, ["source", "image", "created"], object.get(input, ["source", "image", "config", "created"], ""))

at := time.parse_rfc3339_ns(created) if created != ""

age := floor((time.now_ns() - at) / 86400000000000)

unknown contains "when the image was built is not known" if not at

# Builds that can be repeated say that they are of the beginning of time.
unknown contains sprintf("the image says that it was built on %s, which is no true date", [created]) if at < 946684800000000000

violation contains {
	"message": sprintf("The image was built %d days ago", [age]),
	"detail": {"created": created, "days": age},
	"remediation": "Build it again.",
} if {
	at >= 946684800000000000
	age > days
}
