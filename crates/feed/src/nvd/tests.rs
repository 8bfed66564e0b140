//! NVD: documents in, ratings out.

use super::*;
use crate::shown::check;

#[test]
fn an_entry_of_version_2_is_rated() {
    check(
        &Nvd,
        "other",
        r#"{"resultsPerPage": 3, "startIndex": 0, "totalResults": 3, "format": "NVD_CVE", "version": "2.0",
         "timestamp": "2025-11-27T04:36:56.737", "vulnerabilities": [
          {"cve": {"id": "CVE-2021-0001", "sourceIdentifier": "x@example.com",
            "published": "2021-06-19T18:15:11.163", "lastModified": "2021-10-21T14:35:21.047",
            "vulnStatus": "Analyzed",
            "descriptions": [{"lang": "es", "value": "Uno."}, {"lang": "en", "value": "One."}],
            "metrics": {
              "cvssMetricV31": [
                {"source": "X@Example.com", "type": "Secondary", "cvssData": {"version": "3.1",
                 "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8}},
                {"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "3.1",
                 "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N", "baseScore": 6.5}}],
              "cvssMetricV2": [
                {"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "2.0",
                 "vectorString": "AV:N/AC:M/Au:N/C:N/I:P/A:N", "baseScore": 4.3}}]},
            "weaknesses": [
              {"source": "nvd@nist.gov", "description": [{"lang": "en", "value": "CWE-352"}]},
              {"source": "x@example.com", "description": [
                {"lang": "en", "value": "CWE-79"}, {"lang": "en", "value": "NVD-CWE-noinfo"}]}],
            "references": [
              {"url": "https://example.com/broken", "tags": ["Broken Link"]},
              {"url": "https://example.com/other"},
              {"url": "https://example.com/vendor", "tags": ["Vendor Advisory"]},
              {"url": "https://example.com/vendor"}]}},
          {"cve": {"id": "CVE-2021-0002", "vulnStatus": "Rejected", "lastModified": "2021-10-21T14:35:21.047",
            "descriptions": [{"lang": "en", "value": "Rejected reason: none."}], "metrics": {}}},
          {"cve": {"descriptions": []}},
          {"other": 1}]}"#,
        "CVE-2021-0001 CWE-79 CWE-352:
         * nvd medium 6.5 CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N
         * nvd medium 4.3 AV:N/AC:M/Au:N/C:N/I:P/A:N
         * x@example.com critical 9.8 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
         @ https://example.com/vendor
         @ https://example.com/other
         @ https://example.com/broken
         CVE-2021-0002 withdrawn 2021-10-21T14:35:21.047Z:
         ! x#2: the entry has no id
         ! x#3: the entry cannot be read: missing field `cve` at line 1 column 12
         current 2025-11-27T04:36:56.737Z",
    );
}

#[test]
fn an_entry_of_version_1_is_rated() {
    check(
        &Nvd,
        "2021",
        r#"{"CVE_data_type": "CVE", "CVE_data_format": "MITRE", "CVE_data_version": "4.0",
         "CVE_data_timestamp": "2021-09-10T07:00Z", "CVE_Items": [
          {"cve": {"CVE_data_meta": {"ID": "CVE-2021-0001"},
            "problemtype": {"problemtype_data": [{"description": [{"lang": "en", "value": "CWE-20"}]}]},
            "references": {"reference_data": [{"url": "https://example.com/", "tags": []}]},
            "description": {"description_data": [{"lang": "en", "value": "One."}]}},
           "impact": {
            "baseMetricV3": {"cvssV3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "baseScore": 9.8}},
            "baseMetricV2": {"cvssV2": {"vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "baseScore": 7.5}}},
           "publishedDate": "2021-02-04T06:15Z", "lastModifiedDate": "2021-02-08T16:11Z"},
          {"cve": {"CVE_data_meta": {"ID": "CVE-2021-0002"},
            "description": {"description_data": [{"lang": "en", "value": "** REJECT ** No."}]}},
           "impact": {}, "lastModifiedDate": "2021-02-08T16:11Z"}]}"#,
        "CVE-2021-0001 CWE-20:
         * nvd critical 9.8 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
         * nvd high 7.5 AV:N/AC:L/Au:N/C:P/I:P/A:P
         @ https://example.com/
         CVE-2021-0002 withdrawn 2021-02-08T16:11:00Z:
         current 2021-09-10T07:00:00Z",
    );
}

#[test]
fn a_table_is_rated() {
    check(
        &Nvd,
        "other",
        "cve,published,modified,cvss2,cvss3,score,cwe
CVE-2009-0001,2009-09-25T22:30Z,2018-10-10T19:43Z,AV:N/AC:M/Au:N/C:N/I:P/A:N,,4.3,CWE-79
CVE-2015-0001,2017-08-07T20:29Z,2021-07-16T13:15Z,AV:N/AC:L/Au:N/C:P/I:P/A:P,CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H,9.8,NVD-CWE-Other
CVE-2006-0001,2006-08-21T22:04Z,2008-09-10T20:27Z,,,,
CVE-2006-0002,,,,,NaN,
odd
",
        "CVE-2009-0001 CWE-79:
         * nvd medium 4.3 AV:N/AC:M/Au:N/C:N/I:P/A:N
         CVE-2015-0001:
         * nvd critical 9.8 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
         * nvd high 7.5 AV:N/AC:L/Au:N/C:P/I:P/A:P
         CVE-2006-0001:
         CVE-2006-0002:
         ! x:6: the line is no entry
         current 2021-07-16T13:15:00Z",
    );
}

#[test]
fn files_of_years_are_parts() {
    let head = br#"{"resultsPerPage": 1, "format": "NVD_CVE", "vulnerabilities": ["#;
    let check = |path: &str, expect: &str| {
        assert_eq!(Nvd.recognises(path, head).as_deref(), Some(expect), "{path}");
    };
    check("nvd/nvdcve-2.0-2021.json", "2021");
    check("nvdcve-2.0-modified.json", "other");
    check("page.json", "other");
    assert!(Nvd.parts().iter().any(|it| it.name == "2021"));
}
