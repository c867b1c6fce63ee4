# Everything that can be made, and how. `make` alone lists it.
#
# What has to be there: Python 3.11 or newer with its headers, git, make and a C compiler.
# The rest, the Go toolchain included, is installed into .venv.

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
KERNELS := $(wildcard linkpipe/kernels/*.py)
SHELF := $(patsubst %/pyproject.toml,%,$(wildcard shelf/*/pyproject.toml))
PY := $(VENV)/bin/python
# Another release of Go than the pinned one for make conformance, gosuites and demo (GO=1.26).
GO ?=
# What make demo builds for (make demo ARCH=386), none for this machine.
ARCH ?=
# Programs for the comparison (make conformance PROGRAMS="hello plugin:w"), none for all; an
# architecture stands for all of its programs.
PROGRAMS ?= $(ARCH)
# Go's suites (make gosuites SUITES="ld nm"), none for all.
SUITES ?=
# Files to change one place at a time (make mutants FILES=passes/strdata.py), none for a sample of
# SAMPLE over what the tool lists; OWN=1: try them with each file's own tests only.
FILES ?=
SAMPLE ?=
OWN ?=
# How long inputs are damaged, and from which seed (make fuzz MINUTES=60 SEED=7), at most how often.
CASES ?=
MINUTES ?= 2
SEED ?= 1
# What is timed (make bench AGAINST=main): none for linkpipe beside go tool link, a commit for
# linkpipe beside linkpipe as it was then.
AGAINST ?=
# A second Python for the unit tests: the newest that is there, or the system's.
OTHER_PYTHON ?= $(shell \
	for version in 3.14 3.13 3.12; do \
		for python in python$$version "$$(pyenv root 2>/dev/null)"/versions/$$version.*/bin/python; do \
			"$$python" -c "" 2>/dev/null && echo "$$python" && exit; \
		done; \
	done; echo /usr/bin/python3)
# What is run again with other versions: neither what is about the repository, nor what takes longest;
# one test in PART of it (make lowest PART=4), the same ones each time.
PART ?= 1
AGAIN = --part $(PART) -m "not big and not once" tests/linkpipe tests/passes tests/arches \
	--ignore tests/linkpipe/test_house.py
UV := $(VENV)/bin/uv
# What stands before a command that is to run with the release GO; it ends where that cannot be.
AT_RELEASE = $(if $(GO),LINKPIPE_GOROOT=$$($(PY) -m tests.conformance.releases $(GO)) && \
	export LINKPIPE_GOROOT &&)

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format conformance gosuites mutants fuzz testplugin dwarfcheck bench \
	full lowest other-python lock site dist cross-tools kernels boundscheck sanitize clean compiler

help: ## list what can be made
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/    \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: compiler $(VENV)/.demo ## build a Go plugin and its host with linkpipe, run them, look inside
	$(AT_RELEASE) $(PY) -m examples.demo $(ARCH)

test: compiler $(VENV)/.dev ## run the tests (minutes; the big programs are in conformance)
	$(PY) -m pytest -n $(JOBS) -m "not big"

coverage: compiler $(VENV)/.dev ## run the tests and show what they reach, file by file (at least 90 %)
	@mkdir -p .cache/coverage && rm -f .cache/coverage/*
	$(PY) -m pytest -n $(JOBS) -m "not big" --cov --cov-report=term --durations=40

lint: $(VENV)/.dev .tree ## check style, types and the fences between the parts
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	cd .tree && ../$(VENV)/bin/lint-imports --config ../pyproject.toml

format: $(VENV)/.dev ## write all Python in the one style
	$(VENV)/bin/ruff check --fix --quiet . || true
	$(VENV)/bin/ruff format .

conformance: compiler $(VENV)/.dev ## link real programs with linkpipe and with go tool link: same bytes?
	$(AT_RELEASE) $(PY) -m tests.conformance $(PROGRAMS) $(if $(GO)$(if $(PROGRAMS),,all),&& \
		$(PY) -m pytest -q $(if $(PROGRAMS),-m "not big") tests/conformance/test_variants.py)
	$(if $(GO)$(PROGRAMS),,$(PY) -m pytest -q -m big tests/linkpipe shelf)

gosuites: compiler $(VENV)/.dev ## run Go's own test suites, linked by linkpipe and by the stock linker
	$(AT_RELEASE) $(PY) -m tests.conformance.gosuites -j $(JOBS) $(SUITES)

mutants: compiler $(VENV)/.dev ## change the product in one small place after another: do tests notice?
	$(PY) -m tests.mutation --jobs $(JOBS) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(OWN),--own) $(FILES)

fuzz: compiler $(VENV)/.dev ## damage inputs in every place: does linkpipe refuse them as go tool link does?
	$(PY) -m tests.fuzz --minutes $(MINUTES) --seed $(SEED) $(if $(CASES),--cases $(CASES))

testplugin: compiler $(VENV)/.dev ## run Go's own plugin tests in the same way, and show each
	$(PY) -m tests.conformance.gosuites --tests testplugin

dwarfcheck: compiler $(VENV)/.dev ## let readelf, llvm-dwarfdump and gdb read linkpipe's debug information
	LINKPIPE_TOOLS=required $(PY) -m pytest -q tests/conformance/test_debuggers.py

bench: compiler $(VENV)/.dev ## time linkpipe beside go tool link, or AGAINST=COMMIT beside itself
	@$(PY) -m compileall -q linkpipe passes arches releases templates/*.py # as pip does for users
	$(AT_RELEASE) $(PY) -m benchmarks.$(if $(AGAINST),against $(AGAINST),bench $(PROGRAMS))

full: ## all that continuous integration runs, and all that takes longer (hours)
	.ci/run full

lowest: compiler $(VENV)/.dev ## run the unit tests with the lowest versions that pyproject.toml allows
	$(UV) venv --quiet --seed --clear --python $(PY) .cache/lowest
	$(UV) pip install --quiet --python .cache/lowest --resolution lowest-direct -e '.[test]'
	.cache/lowest/bin/python -m pytest -n $(JOBS) $(AGAIN) --ignore tests/linkpipe/server

other-python: compiler $(VENV)/.dev ## run the unit tests with another Python (OTHER_PYTHON=python3.13)
	$(UV) venv --quiet --seed --clear --python $(OTHER_PYTHON) .cache/other-python
	$(UV) pip install --quiet --python .cache/other-python -r requirements/dev.txt
	$(UV) pip install --quiet --python .cache/other-python --no-deps -e .
	.cache/other-python/bin/python -m pytest -n $(JOBS) $(AGAIN)

# With extras: pip takes a requirement with one for another than the same without, and would look for
# its newest version.
lock: $(VENV)/.dev ## pin anew what .venv gets, in requirements/dev.txt
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-strip-extras --custom-compile-command "make lock" \
		--extra demo --extra dev --output-file requirements/dev.txt pyproject.toml

man: $(VENV)/.dev ## write manual pages into docs/man, of the text that --help prints
	$(PY) -m tools.man

site: $(VENV)/.dev ## build the documentation as a site, in build/site/html
	$(PY) -m tools.site

dist: $(VENV)/.dev ## build the source distribution and the wheel, in dist/
	$(PY) -m build --no-isolation

cross-tools: $(VENV)/.dev ## install compilers, emulators, debuggers and the browser that tests use (Debian, root)
	@command -v apt-get >/dev/null 2>&1 && test "$$(id -u)" = 0 || { \
		echo "make cross-tools installs Debian packages, as root; what it would install is" >&2; \
		$(PY) -m tests.conformance.targets >&2; \
		echo "README.md says what can be done without root" >&2; exit 1; }
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install \
		--no-install-recommends \
		$$($(PY) -m tests.conformance.targets) \
		$(if $(filter /usr/bin/python3,$(OTHER_PYTHON)),python3-dev)

kernels: compiler $(VENV)/.dev ## compile the kernels (after an edit of one; the others do it too)

boundscheck: compiler $(VENV)/.dev ## test the kernels, compiled so that every index is checked
	LINKPIPE_KERNELS_BUILD=boundscheck $(PY) -W ignore setup.py -q build_ext --build-lib build/boundscheck
	LINKPIPE_KERNELS=build/boundscheck $(PY) -m pytest -q tests/linkpipe/kernels

# A fault ends the process by a signal; what Python itself never frees is none.
sanitize: compiler $(VENV)/.dev ## test and fuzz the kernels, compiled with AddressSanitizer (MINUTES=30)
	LINKPIPE_KERNELS_BUILD=sanitize $(PY) -W ignore setup.py -q build_ext --build-lib build/sanitize
	export LINKPIPE_KERNELS=build/sanitize LD_PRELOAD="$$($(or $(CC),cc) -print-file-name=libasan.so)" \
		ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=abort_on_error=1 && \
	$(PY) -m pytest -q -k "not uncompiled" tests/linkpipe/kernels && \
	$(PY) -m tests.fuzz --minutes $(MINUTES) --seed $(SEED) --oracle 0 $(if $(CASES),--cases $(CASES))

clean: ## remove what was made, the environment and the caches included
	rm -rf $(VENV) .tree .cache build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache *.egg-info linkpipe/kernels/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

compiler:
	@command -v "$${CC:-gcc}" >/dev/null 2>&1 || { \
		echo "no C compiler ($${CC:-gcc}): install one (Debian, Ubuntu: apt install gcc libc6-dev;" \
			"Fedora: dnf install gcc glibc-devel) or set CC" >&2; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig as s; \
		sys.exit(not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))' || { \
		echo "no headers of $(PYTHON) (Python.h), which the kernels are compiled with: install them" \
			"(Debian, Ubuntu: apt install python3-dev; Fedora: dnf install python3-devel)" >&2; \
		exit 1; }

# The environments are stamps: a changed pyproject.toml (entry points!) or pin installs again, and so
# does a changed kernel, which is compiled by that.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1): Python 3.11 or newer is needed;" \
			"name one with make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml setup.py $(KERNELS)
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e examples/decisions
	@touch $@

# What is pinned, so that everybody and continuous integration have the same.
$(VENV)/.dev: $(VENV)/bin/python pyproject.toml requirements/dev.txt setup.py $(KERNELS) \
		$(SHELF:=/pyproject.toml)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
		$(SHELF:%=-e ./%)
	@touch $@

# The layout that is installed (linkpipe.passes, linkpipe.arches), for mypy and import-linter.
.tree: $(wildcard linkpipe/* passes arches releases templates)
	@rm -rf .tree && mkdir -p .tree/linkpipe
	@cd .tree/linkpipe && for part in ../../linkpipe/*; do \
		case $$part in */__pycache__) ;; *) ln -s $$part . ;; esac; done; \
		ln -s ../../passes ../../arches ../../releases ../../templates .
	@touch .tree
