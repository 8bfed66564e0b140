# METADATA
# title: No distribution at the end of its life
# description: Somebody still mends the distribution that the image is built on.
# custom:
#   name: end-of-life-distribution
#   opt_in: true
#   result_type: generic
#   not_compliant_title: Distribution at the end of its life
#   details_order:
#   - distribution
#   - until
package docker.scout

import rego.v1

# So many days before the end, the image is not let through any more.
days_ahead := object.get(data.config, "days_ahead", 0)

# Ends that we do not know, or know better: `{"debian:11": "2026-08-31"}`.
ends := object.get(data.config, "ends", {})

default pass := false

pass if {
	count(violation) == 0
	count(unknown) == 0
}

distro := object.get(input, ["source", "image", "distro"], object.get(input, ["source", "distro"], null))

distribution := sprintf("%s:%s", [distro.os_name, distro.os_version]) if distro.os_version

distribution := distro.os_name if not distro.os_version

until := object.get(ends, distribution, input.analysis.support.until)

until := ends[distribution] if not input.analysis.support.until

# The end of that day.
end := time.parse_rfc3339_ns(sprintf("%sT00:00:00Z", [until])) + 86400000000000

unknown contains sprintf("when the support of %s ends is not known", [distribution]) if {
	distribution
	not end
}

unknown contains "the distribution could not be recognised" if {
	not distribution
	not has_no_distribution
}

# A program alone has nobody who mends a distribution.
has_no_distribution if {
	is_null(distro)
	count(object.get(input, "gaps", [])) == 0
	count(foretop.types() & {"apk", "deb", "rpm"}) == 0
}

violation contains {
	"message": sprintf("The support of %s ends on %s", [distribution, until]),
	"detail": {"distribution": distribution, "until": until},
	"remediation": sprintf("Build on a release after %s.", [distribution]),
} if {
	time.now_ns() + (days_ahead * 86400000000000) >= end
}
