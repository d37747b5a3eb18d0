# make demo     paint a real picture and say where the SVG is
# make test     everything that the tests need, then the tests
# make test-fast  the tests that need no Inkscape, on all cores, for the inner loop
# make bless    renew the golden pictures of tests/golden, after a look at what changed
# make check    ruff, mypy and the generated parts of the documentation
# make bench    how fast the engine is
# make fuzz     every reader of foreign input under fuzzing, FUZZ_SECONDS each (default 60)
# make test-oldest   the tests with the lowest versions that pyproject.toml allows
# make test-inkex    the extension's own tests with each inkex from 1.2 to 1.4 that is on PyPI
# make card     all that is to be known of gradvec on this machine's graphics card, as one report: out/card.md
# make audit    whether a library has a known hole, where the data of known holes can be reached
# make lock     write down the versions of this environment, which make install LOCKED=1 takes
# make docs     the documentation's site, strict: out/site/index.html
# make package  wheel, source archive, the zip for Inkscape's extension manager, and a bill of materials
# make clean    remove what was built; .venv stays (make distclean removes it, too)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What to hand to pip for torch. Empty: PyTorch's CPU build, or TORCH_FALLBACK where its index cannot be reached.
# For an NVIDIA card: make TORCH=torch
TORCH ?=
TORCH_FALLBACK := torch==2.13.0
# Not empty: the versions that the tests ran with last (tests/locked-X.Y.txt) instead of the newest.
LOCKED ?=
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast bless test-oldest test-inkex fuzz check audit lock bench card docs package clean distclean

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml scripts/install.sh
	PYTHON="$(PYTHON)" TORCH="$(TORCH)" TORCH_FALLBACK="$(TORCH_FALLBACK)" LOCKED="$(LOCKED)" sh scripts/install.sh $(VENV)
	touch $@

$(VENV)/.tested: $(VENV)/.installed scripts/install_for_tests.sh
	LOCKED="$(LOCKED)" sh scripts/install_for_tests.sh $(VENV)
	touch $@

demo: install
	mkdir -p out
	$(BIN)/gradvec paint examples/astronaut.jpg -o out/astronaut.svg
	$(BIN)/gradvec compare out/astronaut.svg examples/astronaut.jpg --html out/astronaut.html
	@echo
	@echo "The picture in strokes: $(CURDIR)/out/astronaut.svg   (open it in Inkscape or a browser)"
	@echo "Beside its original:    $(CURDIR)/out/astronaut.html"

# Windows of Inkscape want the machine to themselves; everything else runs in parallel. A part, named, runs in order.
IN_PARALLEL := -m "not window and not inkscape" --numprocesses auto --dist loadfile

test: $(VENV)/.tested
ifeq ($(strip $(PYTEST_ARGS)),)
	$(BIN)/python -m pytest $(IN_PARALLEL)
	$(BIN)/python -m pytest -m "window or inkscape"
else
	$(BIN)/python -m pytest $(PYTEST_ARGS)
endif

test-fast: install
	$(BIN)/python -m pytest $(IN_PARALLEL) $(PYTEST_ARGS)

bless: install
	GRADVEC_BLESS=1 $(BIN)/python -m pytest tests/test_golden.py

check: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python scripts/options_table.py --check
	$(BIN)/python scripts/release/audit.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

audit: install
	$(BIN)/python scripts/release/audit.py

lock: install
	$(BIN)/python scripts/locked.py

test-oldest: install
	PYTHON="$(PYTHON)" sh scripts/test_oldest.sh $(PYTEST_ARGS)

test-inkex: install
	sh scripts/test_inkex.sh $(PYTEST_ARGS)

# atheris finds more, and is not there for every system: without it inputs are mutated blindly.
fuzz: install
	-$(BIN)/python -m pip --disable-pip-version-check --quiet install 'atheris>=2.3'
	$(BIN)/python tests/fuzz/fuzz.py --seconds $(FUZZ_SECONDS)

bench: install
	$(BIN)/python benchmarks/engine.py

# A card and what it found are worth a report even where a part of it failed.
card: $(VENV)/.installed
	$(BIN)/python benchmarks/card.py -o out/card.md

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

package: install
	$(BIN)/python scripts/package.py dist

clean:
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
