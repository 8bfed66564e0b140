# METADATA
# title: No high-profile vulnerabilities
# description: Nothing in the image has one of the flaws that everybody talks about, or one that is known to be exploited.
# custom:
#   name: high-profile-vulnerabilities
#   result_type: vulnerability
#   weight: 20
#   not_compliant_title: High-profile vulnerabilities found
#   details_order:
#   - purl
#   - vulnerability
#   - severity
#   - fixedBy
#   - cvssScore
package docker.scout

import rego.v1

# The flaws that count, in order of their years.
cves := object.get(data.config, "cves", [
	"CVE-2014-0160",
	"CVE-2014-6271",
	"CVE-2021-44228",
	"CVE-2021-45046",
	"CVE-2022-22965",
	"CVE-2023-38545",
	"CVE-2023-44487",
	"CVE-2024-3094",
])

# Flaws that do not count, whoever lists them.
ignored_cves := object.get(data.config, "ignored_cves", [])

# Whether flaws count that CISA knows to be exploited.
include_cisa_kev := object.get(data.config, "include_cisa_kev", true)

# Whether flaws are let through that nothing loads where the image runs, as somebody saw.
in_use_only := object.get(data.config, "in_use_only", false)

default pass := false

pass if count(violation) == 0

violation := foretop.told([[form(why, remedy), flaws(object.union(which, {"fixable": fixable, "in_use_only": in_use_only}))] |
	some why, which in reasons
	some remedy, fixable in remedies
])

reasons["which is of a high profile"] := {"cves": listed, "other_than": ignored}

reasons["which is known to be exploited"] := {"exploited": true, "other_than": listed | ignored} if include_cisa_kev

remedies := {
	"Update {purl} to {fixedBy} or later, before anything else.": true,
	"Take {purl} out of the image: nothing mends it yet.": false,
}

form(why, remedy) := {
	"message": sprintf("{purl} has {vulnerability}, %s", [why]),
	"detail": "{}",
	"remediation": remedy,
}

flaws(which) := foretop.flaws(which, ["purl", "vulnerability", "severity", "fixedBy", "cvssScore"])

unknown contains "the image was compared with no advisories" if not input.vulnerabilities

unknown contains "the image was compared with no advisories" if {
	input.analysis.basis.almanac == ""
	not input.analysis.basis.starter
}

unknown contains "the image was compared with the best-known flaws alone: there is no almanac" if {
	include_cisa_kev
	input.analysis.basis.starter
}

unknown contains "nobody in the almanac tells which flaws are exploited: it was made without CISA's list" if {
	include_cisa_kev
	"attacks" in input.analysis.basis.untold
}

listed := {name | some name in cves}

ignored := {name | some name in ignored_cves}
