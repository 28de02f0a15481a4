"""The bill of materials: everything of others that a running house contains, as CycloneDX 1.6 (ECMA-424).

    python tools/sbom.py [FILE]      else dist/allmende.cdx.json

It is read from what is installed here and from the lock file of the pages' packages, so that it says what is there and
not what was once meant. What only builds, checks or tests is no part of the house and is left out. Two runs over the
same packages give the same file: it carries neither a time nor a random number.
"""

import argparse
import base64
import binascii
import json
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("files", "forecasts", "reports", "sql")
"""Optional parts that `make run` installs and the house imports."""
_SPDX = {
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Apache Software License": "Apache-2.0",
}
"""Old classifiers that mean one licence; "BSD License" means several, and stays as it is."""
_LICENCES = LicenseFactory()


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Write the bill of materials (CycloneDX).")
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "dist" / "allmende.cdx.json")
    target: Path = parser.parse_args().file
    target.parent.mkdir(parents=True, exist_ok=True)
    text = write(describe())
    target.write_text(text, "utf-8")
    print(f"{target}: {len(json.loads(text)['components'])} components")
    return 0


def write(bom: Bom) -> str:
    """The bill as text, by the schema's order, without a time."""
    made: dict[str, Any] = json.loads(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string())
    made["metadata"].pop("timestamp", None)
    made.pop("serialNumber", None)
    return json.dumps(made, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def describe() -> Bom:
    """The house and what it stands on."""
    bom = Bom()
    house = distribution("allmende")
    root = component(house)
    root.type = ComponentType.APPLICATION
    bom.metadata.component = root
    made: dict[str, Component] = {"allmende": root}
    needs: dict[str, set[str]] = {}
    for found, wanted in closure("allmende", EXTRAS):
        name = canonicalize_name(found.name)
        if name not in made:
            made[name] = component(found)
            bom.components.add(made[name])
        needs.setdefault(name, set()).update(wanted)
    for name, wanted in needs.items():
        bom.register_dependency(made[name], [made[each] for each in sorted(wanted) if each in made])
    pages = list(page_components(json.loads((ROOT / "frontend" / "package-lock.json").read_text("utf-8"))))
    for each in pages:
        bom.components.add(each)
    bom.register_dependency(root, [*(made[each] for each in sorted(needs["allmende"]) if each in made), *pages])
    return bom


def closure(name: str, extras: tuple[str, ...]) -> Iterator[tuple[Distribution, set[str]]]:
    """A package and all that it needs on this machine, each with the names of what it needs itself."""
    waiting, seen = [(name, frozenset(extras))], set()
    while waiting:
        each, asked = waiting.pop()
        if (each, asked) in seen:
            continue
        seen.add((each, asked))
        try:
            found = distribution(each)
        except PackageNotFoundError:
            continue  # wanted on other machines alone
        wanted = set()
        for line in found.requires or ():
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *asked)):
                wanted.add(canonicalize_name(need.name))
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
        yield found, wanted


def component(found: Distribution) -> Component:
    """A Python package."""
    said = found.metadata
    name, version = canonicalize_name(found.name), found.version
    made = Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        description=said.get("Summary") or None,
        purl=PackageURL("pypi", name=name, version=version),
        bom_ref=f"pypi:{name}@{version}",
    )
    licence = said.get("License-Expression") or _classified(said.get_all("Classifier") or []) or said.get("License")
    if licence and len(licence) < 200:  # some put the whole text there
        made.licenses.add(_LICENCES.make_from_string(licence, license_acknowledgement=LicenseAcknowledgement.DECLARED))
    home = said.get("Home-page") or next(
        (line.partition(",")[2].strip() for line in said.get_all("Project-URL") or () if _names_code(line)), ""
    )
    if home:
        made.external_references.add(ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(home)))
    return made


def _classified(classifiers: list[str]) -> str:
    named = [line.rpartition("::")[2].strip() for line in classifiers if line.startswith("License :: OSI Approved ::")]
    return " / ".join(_SPDX.get(name, name) for name in named)


def _names_code(line: str) -> bool:
    return line.partition(",")[0].strip().casefold() in ("homepage", "source", "source code", "repository")


def page_components(lock: dict[str, Any]) -> Iterator[Component]:
    """What of the lock file is put into the pages: all but what is only there to build them."""
    for place, said in sorted(lock["packages"].items()):
        if not place or said.get("dev") or said.get("optional"):
            continue
        group, _, name = place.rpartition("node_modules/")[2].rpartition("/")
        version = said["version"]
        made = Component(
            type=ComponentType.LIBRARY,
            group=group or None,
            name=name,
            version=version,
            purl=PackageURL("npm", namespace=group or None, name=name, version=version),
            bom_ref=f"npm:{place}@{version}",
        )
        if said.get("license"):
            made.licenses.add(
                _LICENCES.make_from_string(said["license"], license_acknowledgement=LicenseAcknowledgement.DECLARED)
            )
        for digest in said.get("integrity", "").split():
            algorithm, _, value = digest.partition("-")
            if algorithm == "sha512":
                content = binascii.hexlify(base64.b64decode(value)).decode()
                made.hashes.add(HashType(alg=HashAlgorithm.SHA_512, content=content))
        yield made


if __name__ == "__main__":
    sys.exit(main())
