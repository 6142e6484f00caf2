# Needs only make and Python 3.11 or newer: the first target prepares .venv from the locked requirements.
# `make PYTHON=/path/to/python3.12` chooses an interpreter, `make WORKERS=4 test` the number of test processes,
# `make UPGRADE=--upgrade lock` takes the newest releases instead of keeping the locked ones.

# Of the Pythons at hand the first, unless another is much quicker: one that was built without its optimizations takes up to a
# fifth longer here. Looked for when first needed, once.
NAMES = python3 python3.14 python3.13 python3.12 python3.11 python
TIMED = import sys, ensurepip, timeit; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable, \
	min(timeit.repeat("for i in range(1000): d[i % 7] = str(i)", "d = {}", number=10, repeat=20)))
PYTHON = $(eval PYTHON := $$(shell IFS=:; for p in $$$$(echo "$(NAMES)" | tr " " :); do for d in $$$$PATH; do \
	[ -x "$$$$d/$$$$p" ] && "$$$$d/$$$$p" -c '$$(TIMED)' 2>/dev/null; done; done | \
	awk '!chosen || $$$$2 < 0.8 * least { chosen = $$$$1; least = $$$$2 } END { print chosen }'))$(PYTHON)
WORKERS := 2
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
BENCH_READY := $(VENV)/.ready-bench
# Errors only: what pip remarks about a machine's own settings is no news here.
PIP := -qq --disable-pip-version-check
# uv installs on all cores, in seconds where pip takes a minute; what it cannot do, as with an index that only pip is told of,
# pip does.
UV := $(VENV)/bin/uv
install = $(UV) pip install --quiet --python $(PY) $(1) || $(PY) -m pip install $(PIP) --no-compile $(1)
locked = $(call install,--require-hashes -r requirements/$(1).lock)
# Byte code is written for all packages at once, on all cores, but for their tests and for large ones that no build loads; for
# ours before each build, as each of many processes would else compile what was edited, and all of it where the environment
# keeps Python from writing.
BYTE_CODE = $(PY) -m compileall -qq -j 0 -x '[/\\](tests|pip|setuptools|sqlalchemy|debugpy)[/\\]' $(VENV)/lib
OWN_BYTE_CODE = $(PY) -m compileall -qq -j 0 symbolic numeric_check derivations
LOCK_VENV := build/lock-venv
COMPILE = $(LOCK_VENV)/bin/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url

.PHONY: help book pdf test lint lint-packages lint-tests bench lock clean distclean

help:
	@echo "make book       build the book into book/_build/html"
	@echo "make pdf        build the book and print it into book/_build/book.pdf; needs a Chromium"
	@echo "make test       build the book, then run every test"
	@echo "make lint       formatting, static checks, types, import contracts"
	@echo "make bench      run the benchmarks; make FULL=--full bench: also those that take up to a minute"
	@echo "make lock       resolve the locked requirements anew"
	@echo "make clean      remove what was built; make distclean: and .venv"

$(READY): requirements/book.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv package (Debian: python3-venv) is needed; name one with: make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' || { echo "this Python cannot make environments; install its venv package (Debian: python3-venv)" >&2; exit 1; }
	@echo "Preparing .venv from the locked requirements; this is done once."
	"$(PYTHON)" -m venv $(VENV)
	-$(PY) -m pip install $(PIP) --require-hashes -r requirements/installer.lock
	$(call locked,book)
	$(call install,--no-deps --no-build-isolation --editable .)
	-$(BYTE_CODE)
	@touch $(READY)

$(DEV_READY): requirements/dev.lock $(READY)
	$(call locked,dev)
	-$(BYTE_CODE)
	@touch $(DEV_READY)

$(BENCH_READY): requirements/bench.lock $(DEV_READY)
	$(call locked,bench)
	-$(BYTE_CODE)
	@touch $(BENCH_READY)

book: $(READY)
	-$(OWN_BYTE_CODE)
	$(PY) -m derivations.publishing.build

pdf: $(DEV_READY) book
	$(PY) -m derivations.publishing.pdf

test: $(DEV_READY) book
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

# The two runs of mypy take the longest: one on each core.
lint: $(DEV_READY)
	@$(MAKE) --no-print-directory $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) --jobs 2 lint-tests lint-packages

lint-packages: $(DEV_READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

lint-tests: $(DEV_READY)
	$(PY) -m mypy --config-file tests/mypy.ini tests benchmarks

bench: $(BENCH_READY)
	$(PY) -m benchmarks.run $(FULL)

lock:
	"$(PYTHON)" -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip install $(PIP) uv
	$(COMPILE) pyproject.toml --extra book --extra test --extra lint --extra cluster --extra nn -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra book -c requirements/dev.lock -o requirements/book.lock
	$(COMPILE) pyproject.toml --extra bench -c requirements/dev.lock -o requirements/bench.lock
	echo uv | $(COMPILE) - -o requirements/installer.lock

clean:
	rm -rf book/_build build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find symbolic numeric_check derivations tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) *.egg-info
