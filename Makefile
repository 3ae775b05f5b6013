# Two targets for newcomers: `make demo` runs the main job, `make test` passes the tests. Both start from nothing.
.PHONY: bench clean demo docs help lock test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where this is set, each start of Python compiles a thousand modules anew, and the tests start Python often.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	@if command -v uv >/dev/null 2>&1; then uv venv -q --python '>=3.11' $(VENV); else $(PYTHON) -m venv $(VENV); fi

$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing nonet with its embedded runtime into $(VENV) ..."
	@if command -v uv >/dev/null 2>&1; then uv pip install -q --python $(BIN)/python -c requirements.lock -e '.[embedded,documents]'; \
	else $(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e '.[embedded,documents]'; fi
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need ..."
	@if command -v uv >/dev/null 2>&1; then uv pip install -q --python $(BIN)/python -c requirements.lock --group dev; \
	else $(BIN)/python -m pip install -q --disable-pip-version-check -U 'pip>=25.1' && $(BIN)/python -m pip install -q -c requirements.lock --group dev; fi
	@touch $@

demo: $(VENV)/.installed ## Get the models and run a task that needs all three specialists
	@$(BIN)/nonet demo

test: $(VENV)/.installed-dev ## Lint, types, import rules and tests: all that must pass
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --maxprocesses 4

lock: ## Pin the newest releases that the ranges of pyproject.toml allow (needs uv)
	uv pip compile --universal --python-version 3.11 --all-extras --group dev --no-header --no-annotate -q \
		pyproject.toml -o requirements.lock

docs: $(VENV)/.installed-dev ## Write the reference parts of docs/ from the program, and build the site in .site/
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict
	@echo "Open .site/index.html"

bench: $(VENV)/.installed-dev ## All benchmarks that need no model, beside their floors (15 minutes)
	$(BIN)/python benchmarks/suite.py

clean: ## Remove what make made
	rm -rf $(VENV) .demo .site
