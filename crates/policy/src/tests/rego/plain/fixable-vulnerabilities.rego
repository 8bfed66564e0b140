# METADATA
# title: No fixable critical or high vulnerabilities
# description: Nothing in the image has a serious flaw that its publisher has mended already.
# custom:
#   name: fixable-vulnerabilities
#   result_type: vulnerability
#   weight: 20
#   not_compliant_title: Fixable critical or high vulnerabilities found
#   details_order:
#   - purl
#   - vulnerability
#   - severity
#   - fixedBy
#   - cvssScore
package docker.scout

import rego.v1

# Which severities count.
severities := object.get(data.config, "severities", ["CRITICAL", "HIGH"])

# Whether what cannot be mended yet is let through.
fixable_only := object.get(data.config, "fixable_only", true)

# Types of purls that count; none listed: all of them.
package_types := object.get(data.config, "package_types", [])

# For so many days after it became known, a flaw is let through.
grace_period_days := object.get(data.config, "grace_period_days", 0)

# Whether flaws are let through that nothing loads where the image runs, as somebody saw.
in_use_only := object.get(data.config, "in_use_only", false)

default pass := false

pass if count(violation) == 0

violation contains {
	"message": sprintf("%s has %s", [entry.purl, flaw.source_id]),
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
	counts_as_type(entry.purl)
	some flaw in entry.vulnerabilities
	not lies_idle(flaw)
	flaw.cvss.severity in severities
	counts_as_fixable(flaw)
	not in_grace(flaw)
}

# Without advisories nothing has a flaw, which says nothing.
unknown contains "the image was compared with no advisories" if not input.vulnerabilities

unknown contains "the image was compared with no advisories" if {
	input.analysis.basis.almanac == ""
	not input.analysis.basis.starter
}

unknown contains "the image was compared with the best-known flaws alone: there is no almanac" if {
	input.analysis.basis.starter
}

counts_as_type(_) if count(package_types) == 0

counts_as_type(purl) if scout.parse_purl(purl).type in package_types

counts_as_fixable(_) if not fixable_only

counts_as_fixable(flaw) if object.get(flaw, "fixed_by", "") != ""

in_grace(flaw) if {
	grace_period_days > 0
	age := time.now_ns() - time.parse_rfc3339_ns(flaw.published_at)
	age < grace_period_days * 86400000000000
}

score(flaw) := sprintf("%.1f", [flaw.cvss.score]) if flaw.cvss.score

score(flaw) := "" if not flaw.cvss.score

remedy(purl, flaw) := sprintf("Update %s to %s or later.", [purl, flaw.fixed_by]) if {
	object.get(flaw, "fixed_by", "") != ""
}

remedy(purl, flaw) := sprintf("There is no version of %s yet that mends it: remove it, or state why it does no harm.", [purl]) if {
	object.get(flaw, "fixed_by", "") == ""
}

lies_idle(flaw) if {
	in_use_only
	flaw.in_use == false
}
