# `make help` lists what there is. Everything installs itself into .venv first.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
LIBS := common sqlguard planner cli devstack
SERVICES := gateway auth account connection-indexer chat-agent
PACKAGES := $(addprefix libs/,$(LIBS)) $(addprefix services/,$(SERVICES))
SOURCES := libs services tests examples deploy requirements
STAMP := $(VENV)/.installed
export PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help install run demo test soak check format record lock bench clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## Set up .venv with everything, the basejump command on its path

$(STAMP): requirements/uv.txt requirements/dev.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	@echo "setting up $(VENV) …"
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --no-index $(addprefix -e ,$(PACKAGES))
	@touch $@

run: install  ## Serve at http://127.0.0.1:$$PORT with embedded PostgreSQL and NATS; Ctrl-C stops
	@exec $(BIN)/basejump run --port $(PORT)

demo: install  ## Run the quickstart against the running stack, or against one of its own
	@exec $(BIN)/basejump demo

test: install  ## Run every test: unit, contract, component, end-to-end
	@$(BIN)/pytest

soak: install  ## Run the full form of the long tests: many more examples, kills and attacks
	@BASEJUMP_SOAK=1 $(BIN)/pytest -m soak -o timeout=3600

check: install  ## Format, lint, strict types, layering, deployment files
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy $(PACKAGES) tests examples deploy requirements
	@$(BIN)/python deploy/validate.py

format: install  ## Format and sort imports
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

record: install  ## Record wire schemas, NATS users and settings again, after a deliberate change
	@$(BIN)/python tests/contract/record.py

lock: install  ## Lock the requirements again, one set per image and one for development
	@$(BIN)/python requirements/lock.py

bench: install  ## Measure memory, start, round trips, indexing, downloads and proofs, as ratios to a baseline in the same run
	@PYTHONPATH=tests:tests/load $(BIN)/python tests/load/bench.py

clean:  ## Remove the environment and all local state
	rm -rf $(VENV) .basejump .mypy_cache .ruff_cache .pytest_cache
