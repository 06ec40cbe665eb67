# Two commands do everything on a fresh machine with Python and git:
#   make demo    make test
# The rest is for those who work on Coffer. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
# Django's type plugin reads the settings; it connects to nothing.
TYPING := DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost SECRET_KEY=only-for-the-type-checker-which-signs-nothing

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): requirements.lock scripts/bootstrap.sh
	@scripts/bootstrap.sh $(VENV)

.PHONY: demo
demo: $(READY) ## Start PostgreSQL, Valkey, a stand-in for Stripe, web, worker and sample data
	@$(PYTHON) manage.py demo

.PHONY: test
test: $(READY) ## Run every test; arguments by ARGS="-k name"
	@$(PYTHON) -m pytest $(ARGS)

.PHONY: check
check: lint type migrations deployment docs test ## All that CI does

.PHONY: lint
lint: $(READY) ## Style, mistakes, and who may import whom
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/lint-imports

.PHONY: type
type: $(READY) ## Types, strictly
	@$(TYPING) $(VENV)/bin/mypy

.PHONY: migrations
migrations: $(READY) ## No model differs from its migrations
	@$(PYTHON) -m scripts.check_migrations

.PHONY: deployment
deployment: $(READY) ## Django's deployment checks find nothing, with production's settings
	@$(PYTHON) -m scripts.check_deployment

.PHONY: docs
docs: $(READY) ## Links, commands and settings that the documents name exist
	@$(PYTHON) -m pytest tests/docs -q -p no:randomly

.PHONY: bench
bench: $(READY) ## Speed of ledger, jobs, capacity and uploads beside others, as ratios; parts by ARGS="charges jobs"
	@$(PYTHON) -m bench $(ARGS)

.PHONY: bench-profile
bench-profile: $(READY) ## Where the time of a single charge goes
	@$(PYTHON) -m bench.profile

.PHONY: figures-1
figures-1: $(READY) ## The ledger under races, with its controls
	@$(PYTHON) -m figures.ground_floor

.PHONY: figures-2
figures-2: $(READY) ## Every command of the ledger: races, crashes, lost replies, each guard
	@$(PYTHON) -m figures.ledger

.PHONY: figures-3
figures-3: $(READY) ## Who may do what, and what nobody sees of others, with its controls
	@$(PYTHON) -m figures.people

.PHONY: figures-4
figures-4: $(READY) ## The stand-in for Stripe: scenarios, Stripe's CLI, dj-stripe, chaos, speed
	@$(PYTHON) -m figures.simulator $(ARGS)

.PHONY: figures-5
figures-5: $(READY) ## Stripe's events in any order, workers killed, Redis or Stripe away: each has its effect once
	@$(PYTHON) -m figures.billing $(ARGS)

.PHONY: figures-6
figures-6: $(READY) ## Jobs that die anywhere, workers killed, Redis flushed: what ran is paid, once, and in turn
	@$(PYTHON) -m figures.jobs $(ARGS)

.PHONY: figures-7
figures-7: $(READY) ## Credits that partners hand on: all there at any moment, once per row of a file, whatever the file
	@$(PYTHON) -m figures.partners $(ARGS)

.PHONY: figures-8
figures-8: $(READY) ## Blocks that 64 want at once: no kW is sold twice, and none that is free refused
	@$(PYTHON) -m figures.capacity $(ARGS)

.PHONY: css
css: ## Build the style sheet and the icons anew (needs Node; the result is committed)
	@cd frontend && npm ci --ignore-scripts && npm run build

.PHONY: screenshots
screenshots: $(READY) ## Take the pictures of the README from the running demo
	@$(PYTHON) scripts/screenshots.py

.PHONY: lock
lock: ## Resolve pyproject.toml into requirements.lock (needs uv)
	@uv pip compile pyproject.toml --group embedded --group test --group lint \
		--universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.12 --quiet --output-file requirements.lock

.PHONY: reset
reset: ## Stop the demo and forget its data
	@if [ -x $(PYTHON) ]; then $(PYTHON) manage.py demo --reset; fi

.PHONY: clean
clean: reset ## Remove all that make has made here
	@rm -rf $(VENV) .coffer .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		frontend/node_modules staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
