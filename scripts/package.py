"""Builds what is handed out into the folder DIST: wheel, source archive, the zip for Inkscape's extension manager,
and a bill of materials (CycloneDX).

usage: python scripts/package.py DIST

The zip holds the extension alone, as `gradvec install-extension` would place it. The engine is installed apart, with
pip, and the extension says so where it does not find one. The same sources give the same zip, byte for byte.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "backend"))

from gradvec import __version__  # noqa: E402
from gradvec.tools.install import FOLDER, write_files  # noqa: E402

#: The oldest time that a zip can hold: no build time gets into the file.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def extension_zip(target: Path) -> Path:
    """Writes gradvec-inkscape-VERSION.zip into ``target`` and returns its path."""
    path = target / f"gradvec-inkscape-{__version__}.zip"
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = Path(work) / FOLDER
        write_files(folder)
        (folder / "LICENSE").write_bytes((ROOT / "LICENSE").read_bytes())
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(work).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return path


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    # The developers' environment has what builds the package; with it nothing is fetched.
    here = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    subprocess.run([sys.executable, "-m", "build", *here, "--outdir", str(target), str(ROOT)], check=True)
    print(f"Successfully built {extension_zip(target)}")
    bill = target / f"gradvec-{__version__}.cdx.json"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "release" / "sbom.py"), str(bill)], check=True)
    print(f"Successfully built {bill}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
