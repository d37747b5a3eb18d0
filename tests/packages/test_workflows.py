"""The files for continuous integration: what cannot run here is at least well formed and names what is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from gradvec.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
KEYS = {"needs", "if", "runs-on", "timeout-minutes", "strategy", "environment", "permissions", "steps"}
RULES = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, truthy: {check-keys: false}}}"


def read(path):
    return yaml.safe_load(path.read_text("utf-8"))


def steps(path):
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def lines(path):
    """Every line that a step hands to a shell, with those joined that go on."""
    return [line.strip() for step in steps(path) for line in step.get("run", "").replace("\\\n", " ").splitlines()]


def test_there_is_one_for_each_purpose_and_system():
    assert [path.stem for path in FILES] == ["documentation", "release", "tests"]
    systems = {job["runs-on"].partition("-")[0] for job in read(FILES[2])["jobs"].values()}
    assert systems == {"ubuntu", "macos", "windows"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_are_well_formed(path):
    done = subprocess.run([sys.executable, "-m", "yamllint", "--strict", "-d", RULES, str(path)], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    told = read(path)
    assert set(told) <= {"name", True, "permissions", "concurrency", "jobs"}  # YAML reads "on" as true
    assert told["permissions"] == {"contents": "read"}, "more only where a job needs it"
    for name, job in told["jobs"].items():
        assert set(job) <= KEYS
        assert job["timeout-minutes"] <= 90, name
        assert set([job["needs"]] if "needs" in job else []) <= set(told["jobs"])
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            assert set(step) <= {"name", "uses", "with", "run", "env"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_foreign_actions_are_of_a_named_version(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"(actions/[a-z-]+@v\d+|pypa/gh-action-pypi-publish@release/v1)", name) for name in used)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_they_run_is_there(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    parser = build_parser()
    for line in lines(path):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, line
        for word in words:
            if word.startswith(("scripts/", "tests/", "examples/", ".ci/")):
                assert (ROOT / word).exists(), line
        if Path(words[0]).name == "gradvec":
            parser.parse_args(words[1:])


def test_a_name_that_is_not_there_is_noticed(tmp_path):
    path = tmp_path / "wrong.yml"
    path.write_text("jobs: {a: {steps: [{run: make no-such-target}]}}")
    with pytest.raises(AssertionError, match="no-such-target"):
        test_what_they_run_is_there(path)


def test_every_script_is_used_or_explained():
    """A script that neither the Makefile, another script nor the documentation names would rot."""
    texts = {path: path.read_text("utf-8") for path in [
        ROOT / "Makefile", ROOT / "mkdocs.yml", *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"),
        *ROOT.glob("scripts/**/*"),
        *FILES, *ROOT.glob("benchmarks/*.md"), ROOT / "examples" / "README.md", *ROOT.glob("tests/**/*.py")]
        if path.is_file() and "__pycache__" not in path.parts}
    for path in sorted(ROOT.glob("scripts/**/*")):
        if path.suffix in (".py", ".sh"):
            others = "".join(text for place, text in texts.items() if place != path)
            assert path.name in others or f"from {path.stem} import" in others, path.name
