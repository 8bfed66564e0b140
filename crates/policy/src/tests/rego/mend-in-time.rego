# METADATA
# title: Flaws are mended in time
# custom:
#   name: mend-in-time
#   result_type: vulnerability
#   not_compliant_title: Flaws past their time
#   details_order:
#   - vulnerability
#   - until
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

day := (24 * 3600) * 1000000000

default_days := {"CRITICAL": 7, "HIGH": 30}

days(flaw) := number if {
	allowed := object.union(default_days, object.get(data.config, "days", {}))
	number := object.get(allowed, upper(flaw.cvss.severity), 365)
}

end(flaw) := time.parse_rfc3339_ns(flaw.published_at) + (days(flaw) * day)

shown(moment) := sprintf("%04d-%02d-%02d", time.date(moment))

violation contains v if {
	some entry in oci.referrer("https://scout.docker.com/vulnerabilities/v0.1").statement.predicate
	some flaw in entry.vulnerabilities
	flaw.fixed_by
	end(flaw) <= time.now_ns()
	not is_looked_at(flaw, entry.purl)
	v := {
		"message": sprintf("%s of %s was to be mended by %s (%.1f)", [
			flaw.source_id, entry.purl, shown(end(flaw)), object.get(flaw, ["cvss", "score"], 0),
		]),
		"detail": {"vulnerability": flaw.source_id, "until": shown(end(flaw))},
	}
}

is_looked_at(flaw, purl) if {
	document := oci.referrer("https://openvex.dev/ns/v0.2.0").statement.predicate
	some statement in document.statements
	statement.vulnerability.name == flaw.source_id
	some product in statement.products
	product["@id"] == purl
	statement.status in {"not_affected", "under_investigation"}
}
