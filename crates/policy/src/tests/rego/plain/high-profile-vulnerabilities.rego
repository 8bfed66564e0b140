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

violation contains {
	"message": sprintf("%s has %s, %s", [entry.purl, flaw.source_id, why]),
	"detail": {
		"purl": entry.purl,
		"vulnerability": flaw.source_id,
		"severity": flaw.cvss.severity,
		"fixedBy": object.get(flaw, "fixed_by", ""),
		"cvssScore": score(flaw),
	},
	"remediation": remedy(entry.purl, flaw),
} if {
	some entry in oci.referrer("https://scout.docker.com/vulnerabilities/v0.1").statement.predicate
	some flaw in entry.vulnerabilities
	not lies_idle(flaw)
	why := reason(flaw)
	not is_ignored(flaw)
}

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

is_listed(flaw) if flaw.source_id in listed

is_listed(flaw) if {
	some alias in flaw.aliases
	alias in listed
}

is_ignored(flaw) if flaw.source_id in ignored_cves

is_ignored(flaw) if {
	some alias in flaw.aliases
	alias in ignored_cves
}

reason(flaw) := "which is of a high profile" if is_listed(flaw)

reason(flaw) := "which is known to be exploited" if {
	not is_listed(flaw)
	include_cisa_kev
	flaw.cisa_exploited == true
}

score(flaw) := sprintf("%.1f", [flaw.cvss.score]) if flaw.cvss.score

score(flaw) := "" if not flaw.cvss.score

remedy(purl, flaw) := sprintf("Update %s to %s or later, before anything else.", [purl, flaw.fixed_by]) if {
	object.get(flaw, "fixed_by", "") != ""
}

remedy(purl, flaw) := sprintf("Take %s out of the image: nothing mends it yet.", [purl]) if {
	object.get(flaw, "fixed_by", "") == ""
}

lies_idle(flaw) if {
	in_use_only
	flaw.in_use == false
}
