# One word per wish. `make run` sets everything up and installs a real plugin; `make test` runs everything that must hold.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help run up images test check fix e2e bench chaos down doctor setup

help:  ## these words
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: up $(if $(POOL),images)  ## set everything up, install a real plugin, show it answering; POOL=kubernetes: as a Job
	@infra/local/journey.sh

up: setup  ## start the local world: Kubernetes, registry, Docker, PostgreSQL, Prefect, and the product on it
	@infra/local/parts.sh
	@JWT_PUBLIC_KEY=$(HOME)/.config/plugin-pipeline/token.pub $(BIN)/pluginctl --folder $(HOME)/.config/plugin-pipeline make-token
	@infra/local/up.sh

images: up  ## build the pipeline's own image and push it (PUSH_TO=… to another registry)
	@infra/local/pipeline-image.sh

test: up images  ## everything that must hold
	@$(BIN)/pytest -q

e2e: up images  ## only the whole journeys, those too that take longest, kinds two at a time; print build/e2e.json
	@ended=0; \
	$(BIN)/pytest -q -m world tests/e2e --ignore=tests/e2e/test_kinds.py || ended=$$?; \
	$(BIN)/pytest -q -m world -n 2 --dist worksteal tests/e2e/test_kinds.py || ended=$$?; \
	$(BIN)/pytest -q tests/flows/test_kinds.py || ended=$$?; \
	$(BIN)/pytest -q -m long tests/faults tests/flows --ignore=tests/flows/test_kinds.py || ended=$$?; \
	$(BIN)/python -m tests.outcomes || ended=$$?; \
	exit $$ended

check: setup  ## layout, types, contracts and the pure rules, without the world
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy && $(BIN)/lint-imports
	@$(BIN)/pytest -q tests/test_layout.py tests/blocks/domain -m "not world" --cov --cov-report=term

fix: setup  ## what a machine can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: up images  ## measure, print a table, write build/bench.json
	@$(BIN)/python -m tests.bench

chaos: up  ## kill whatever carries an operation at every step, print a table, write build/chaos.json
	@$(BIN)/python -m tests.chaos

down:  ## stop the world and leave nothing of it
	@infra/local/down.sh

doctor:  ## what is missing on this machine, and what mends it
	@infra/local/doctor.sh

setup: $(STAMP)

$(STAMP): infra/requirements/dev.txt pyproject.toml
	@$(PYTHON) -m venv .venv
	@echo "installing the locked requirements"
	@$(BIN)/pip install -q --no-deps --require-hashes -r infra/requirements/dev.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@
