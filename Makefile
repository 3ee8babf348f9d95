# Everything runs in .venv at the root of the repository; nothing outside it is changed but the Debian packages below.
.PHONY: demo test test-long check bench docs clean system environment
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Linux wheels of torch hold gigabytes of CUDA, which tests do not need; where this index is out of reach they are taken all the same.
TORCH_FOR_CPU := https://download.pytorch.org/whl/cpu
DEMO_FOLDER ?= demo-results

DEBIAN_PACKAGES := python3-venv xvfb xauth libegl1 libgl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 \
  libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libdbus-1-3 libfontconfig1

# Tests run under Xvfb on Linux; the demo only where there is no display, and then it writes screenshots.
VIRTUAL_DISPLAY := $(if $(filter Linux,$(shell uname -s)),xvfb-run -a)
HEADLESS := $(and $(VIRTUAL_DISPLAY),$(if $(DISPLAY)$(WAYLAND_DISPLAY),,yes))

demo: $(if $(HEADLESS),system) environment
	$(if $(HEADLESS),$(VIRTUAL_DISPLAY)) $(BIN)/lightbox demo -o $(DEMO_FOLDER) $(if $(HEADLESS),--screenshots)

test: system check
	$(VIRTUAL_DISPLAY) $(BIN)/python -m pytest -n 2 -m "not long"

test-long: system check
	LIGHTBOX_HYPOTHESIS=long $(VIRTUAL_DISPLAY) $(BIN)/python -m pytest -n 2

check: environment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m napari_lightbox.widgets.manifest --check

bench: environment
	$(BIN)/python -m benchmarks.run

docs: environment
	$(BIN)/python docs/generate_techniques.py
	$(BIN)/mkdocs build --strict

environment: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(filter Linux,$(shell uname -s)),-$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) --no-deps --retries 1 --index-url $(TORCH_FOR_CPU) 'torch==2.13.*')
	$(PIP) -e '.[dev]'
	@touch $@

# Missing Debian packages are installed when that needs no password; else the command is printed and the tests go on.
system:
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=""; \
	for package in $(DEBIAN_PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" = 0 ]; then prefix=""; elif sudo -n true 2>/dev/null; then prefix="sudo -n"; \
	else echo "Please run: sudo apt-get install -y$$missing"; command -v xvfb-run >/dev/null; exit; fi; \
	$$prefix apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$prefix apt-get install -y -qq --no-install-recommends $$missing

clean:
	rm -rf build dist site docs/techniques docs/assets/techniques $(DEMO_FOLDER) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find src tests benchmarks docs sample_data -name __pycache__ -type d -prune -exec rm -rf {} +
