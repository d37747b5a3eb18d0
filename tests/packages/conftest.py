"""Packages, built once for all tests of a session, and a clean environment with the wheel in it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gradvec
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Packages:
    """What scripts/package.py makes."""

    wheel: Path
    sdist: Path
    zip: Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory, worker_id):
    """Built by the first worker that asks, for all of them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "packages"
    with FileLock(str(folder) + ".lock"):
        if not folder.exists():
            done = subprocess.run([sys.executable, str(ROOT / "scripts" / "package.py"), str(folder)], check=False,
                                  capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    version = gradvec.__version__
    return Packages(folder / f"gradvec-{version}-py3-none-any.whl", folder / f"gradvec-{version}.tar.gz",
                    folder / f"gradvec-inkscape-{version}.zip")


class Environment:
    """A virtual environment of its own. What gradvec needs comes from the one that runs the tests, gradvec does not."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
        self.scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
        self.python = self.scripts / "python"
        self.site = Path(self.output(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
        borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (self.site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", "utf-8")

    def install(self, wheel: Path) -> None:
        subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python",
                        str(self.python), "install", "--no-index", "--no-deps", str(wheel)], check=True, timeout=120,
                       capture_output=True)

    def output(self, program: Path, *arguments: str, **more: str) -> str:
        """What a program of the environment prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=300, check=False,
                              env={**kept, **more}, cwd=self.scripts, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="session")
def clean(packages, tmp_path_factory):
    """An environment in which the wheel alone is installed."""
    environment = Environment(tmp_path_factory.mktemp("clean") / "venv")
    environment.install(packages.wheel)
    return environment
