"""Which room may import what, read off the source and off a fresh interpreter."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "backend" / "gradvec"
HOST = ROOT / "inkscape_ext"
#: Stages of the pipeline: they hand over plain types and never import each other.
STAGES = {p.stem for p in (PACKAGE / "stages").iterdir() if p.stem.strip("_") and p.stem != "__pycache__"}
#: Rooms that know no stage and nothing of what runs the stages.
LIBRARIES = {"geometry", "color", "gradients", "brushes", "render", "optimize"}
#: What the host uses of the package; these are copied next to it and run in Inkscape's Python.
FOR_THE_HOST = {"", "errors", "options", "looks", "color", "progress", "ipc"}


def imports_of(path, package):
    """Absolute dotted names of all that ``path`` imports, wherever in the file it does so."""
    here = path.relative_to(package.parent).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(here[:len(here) - node.level]) if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found |= {stem, *(f"{stem}.{alias.name}" for alias in node.names)}
    return found


def room(path):
    """The module or subpackage of gradvec that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms_used(path):
    """Rooms of the package that a file imports."""
    names = (name.split(".") for name in imports_of(path, PACKAGE))
    return {parts[1] for parts in names if parts[0] == "gradvec" and len(parts) > 1} - {"__version__"}


def sources(folder):
    return sorted(p for p in folder.rglob("*.py") if "__pycache__" not in p.parts)


def foreign(path, package):
    return {name.split(".")[0] for name in imports_of(path, package)} - set(sys.stdlib_module_names) - {"__future__"}


@pytest.mark.parametrize("path", sources(PACKAGE), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_package_knows_nothing_of_inkscape(path):
    assert imports_of(path, PACKAGE) & {"inkex", "inkscape_ext", "gi"} == set()
    assert not any(name.startswith(("inkex.", "gi.", "inkscape_ext.")) for name in imports_of(path, PACKAGE))


@pytest.mark.parametrize("path", sources(HOST), ids=lambda p: str(p.relative_to(HOST)))
def test_the_host_uses_what_inkscape_ships(path):
    allowed = {"inkex", "lxml", "numpy", "gi", "gradvec", "inkscape_ext"}
    own = {p.stem for p in sources(HOST)} | {p.name for p in HOST.iterdir() if p.is_dir()}
    assert foreign(path, HOST) - own <= allowed
    assert rooms_used_by_host(path) <= FOR_THE_HOST


def rooms_used_by_host(path):
    names = (name.split(".") for name in imports_of(path, HOST))
    return {parts[1] if len(parts) > 1 else "" for parts in names if parts[0] == "gradvec"} - {"__version__"}


#: Rooms of the extension, and which others each may use.
HOST_ROOMS = {"ui": set(), "document": {"ui"}, "engine": {"ui", "document"}}


@pytest.mark.parametrize("name", HOST_ROOMS)
def test_rooms_of_the_host_build_on_each_other_in_one_direction(name):
    for path in sources(HOST / name):
        used = {parts[1] for parts in (n.split(".") for n in imports_of(path, HOST)) if parts[0] == "inkscape_ext" and
                len(parts) > 1}
        assert used - {name} <= HOST_ROOMS[name], path


def test_modules_of_the_host_import_each_other_in_no_circle():
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sources(HOST)}
    uses = {name: imports_of(path, HOST) & set(modules) - {name} for name, path in modules.items()}
    while free := [name for name, used in uses.items() if not used & set(uses)]:
        for name in free:
            del uses[name]
    assert not uses


def test_folders_of_the_host_stay_small():
    assert len(list(HOST.glob("*.py"))) <= 12
    assert all(len(list(HOST.joinpath(name).glob("*.py"))) <= 16 for name in (*HOST_ROOMS, "commands"))


@pytest.mark.parametrize("name", ["errors.py", "options.py", "looks.py", "color/swatches.py", "progress.py", "ipc"])
def test_what_the_host_shares_is_standard_library_only(name):
    path = PACKAGE / name
    for source in sources(path) if path.is_dir() else [path]:
        assert foreign(source, PACKAGE) <= {"gradvec"}, source
        assert rooms_used(source) <= FOR_THE_HOST | {"ipc", "jobs"}, source


def stages_used(path):
    names = (name.split(".") for name in imports_of(path, PACKAGE))
    return {parts[2] for parts in names if parts[:2] == ["gradvec", "stages"] and len(parts) > 2}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_stages_do_not_import_each_other(stage):
    place = PACKAGE / "stages" / stage
    files = sources(place) if place.is_dir() else [place.with_suffix(".py")]
    assert files
    for path in files:
        assert stages_used(path) <= {stage}, path
        assert rooms_used(path) & {"cli", "pipeline", "jobs", "ipc", "io", "tools", "edit"} == set(), path


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_what_stages_share_knows_none_of_them(library):
    for path in sources(PACKAGE / library):
        assert rooms_used(path) & {"stages", "cli", "pipeline", "jobs", "ipc", "tools", "edit"} == set(), path


def test_the_engine_stands_alone():
    for path in sources(PACKAGE / "render"):
        assert rooms_used(path) <= {"render", "model", "errors", "geometry"}, path


def test_diffvgs_names_need_the_engine_files_and_colours_only():
    for path in sources(PACKAGE / "pydiffvg"):
        assert rooms_used(path) <= {"pydiffvg", "render", "io", "color", "errors"}, path


def test_nothing_runs_the_pipeline_but_those_who_may():
    users = {room(p) for p in sources(PACKAGE) if "pipeline" in rooms_used(p)} - {"pipeline"}
    assert users <= {"cli", "jobs", "tools", "film"}


def test_workers_know_nothing_of_pictures():
    for path in sources(PACKAGE / "workers"):
        assert rooms_used(path) <= {"workers", "errors", "progress", "render"}, path


def test_a_batch_paints_through_jobs_and_workers():
    for path in sources(PACKAGE / "batch"):
        assert rooms_used(path) <= {"batch", "workers", "jobs", "io", "tools", "options", "errors", "progress"}, path


def test_a_drawings_making_needs_no_engine():
    for path in sources(PACKAGE / "animate"):
        assert rooms_used(path) <= {"animate", "io", "tools", "color", "model", "errors", "progress"}, path


def test_what_is_written_for_machines_needs_no_engine():
    for path in sources(PACKAGE / "export"):
        assert rooms_used(path) <= {"export", "io", "tools", "color", "model", "errors", "progress"}, path


def modules_after(statement):
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return {name.split(".")[0] for name in result.stdout.split()}


HEAVY = {"torch", "numba", "numpy", "scipy", "sklearn", "skimage", "PIL", "lxml", "resvg_py"}


@pytest.mark.parametrize("name", ["gradvec", "gradvec.options", "gradvec.errors", "gradvec.progress", "gradvec.cli",
                                  "gradvec.tools.doctor", "gradvec.tools.install", "gradvec.ipc", "gradvec.ipc.client"])
def test_what_starts_fast_imports_nothing_heavy(name):
    assert modules_after(f"import {name}") & HEAVY == set()


@pytest.mark.parametrize("name", ["gradvec.model", "gradvec.io.svg", "gradvec.io.images", "gradvec.tools.compare",
                                  "gradvec.tools.report", "gradvec.io.stroke_folder", "gradvec.animate.smil",
                                  "gradvec.export.profiles", "gradvec.export.printed", "gradvec.animate.lottie",
                                  "gradvec.animate.frames"])
def test_what_needs_no_engine_imports_none(name):
    assert modules_after(f"import {name}") & {"torch", "numba"} == set()


def test_importing_has_no_side_effect(tmp_path):
    before = set(tmp_path.iterdir())
    names = ["gradvec", "gradvec.cli", "gradvec.io.svg", "gradvec.tools.compare", "gradvec.ipc", "gradvec.tools.doctor"]
    code = f"import sys\nsys.path.insert(0, {str(PACKAGE.parent)!r})\n" + "\n".join(f"import {n}" for n in names)
    result = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, cwd=tmp_path, check=True,
                            env={"HOME": str(tmp_path)})
    assert (result.stdout, result.stderr) == (b"", b"")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("path", [*sources(ROOT / "benchmarks"), *sources(ROOT / "scripts"), *sources(ROOT / "tests")],
                         ids=lambda p: str(p.relative_to(ROOT)))
def test_what_stands_around_the_package_imports_what_is_there(path):
    """Benchmarks and scripts import late and run seldom: a name that has moved would show when somebody needs them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gradvec":
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}"), (
                    f"line {node.lineno}: {node.module} has no {alias.name}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                assert not alias.name.startswith("gradvec.") or importlib.util.find_spec(alias.name), alias.name
