"""Writes a bill of materials, CycloneDX in JSON: gradvec and every library that it needs to run, with versions,
licences, and who needs whom, as they are installed here.

usage: python scripts/release/sbom.py FILE

The same environment gives the same file, byte for byte.
"""

from __future__ import annotations

import json
import sys
import uuid
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from locked import PROJECT, closure, version  # noqa: E402

EXTRAS = ("cluster", "film")
#: Licences of libraries whose metadata are silent.
_SILENT = {"resvg-py": "MIT"}


def licence(name: str) -> str:
    """What a distribution says of its licence: an expression, else its classifiers, else its own words."""
    if name == "gradvec":
        return str(PROJECT["license"])
    told = metadata.metadata(name)
    expression = told.get("License-Expression")
    if expression:
        return str(expression)
    classified = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or []
                  if line.startswith("License ::")]
    own = (told.get("License") or "").strip().splitlines()
    return " AND ".join(classified) or (own[0] if own else _SILENT.get(name, ""))


def bill() -> Bom:
    """gradvec as the thing that is described, its libraries as components."""
    factory = LicenseFactory()
    asked = closure("gradvec", EXTRAS)

    def component(name: str, kind: ComponentType) -> Component:
        words = licence(name)
        return Component(name=name, version=version(name), type=kind, bom_ref=name,
                         licenses=[factory.make_from_string(words)] if words else [],
                         purl=PackageURL("pypi", None, name, version(name)))

    parts = {name: component(name, ComponentType.APPLICATION if name == "gradvec" else ComponentType.LIBRARY)
             for name in sorted(asked)}
    made = Bom(components=[part for name, part in parts.items() if name != "gradvec"])
    made.metadata.component = parts["gradvec"]
    for name in sorted(asked):
        made.register_dependency(parts[name], [parts[child] for child in sorted(asked[name])])
    return made


def text() -> str:
    """The bill as JSON, with a serial number that follows from its content and without a time."""
    told = json.loads(JsonV1Dot6(bill()).output_as_string())
    told["metadata"].pop("timestamp", None)
    told.pop("serialNumber", None)
    content = json.dumps(told, sort_keys=True)
    told["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, content).urn
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    Path(sys.argv[1]).write_text(text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
