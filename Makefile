# The commands of the house. Each sets up what it needs first; `make help` lists them.
#
#   make run CITY=example PORT=9000      make test PYTEST="-k broker"

PYTHON ?= python3
CITY ?= jena
ALLMENDE_HOME ?= var
PYTEST ?=
JOBS ?= 5

SETUP = $(PYTHON) tools/setup.py
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check bench docs sbom format clean clean-home setup setup-dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## start the house; the address is printed (HOST, PORT, ALLMENDE_HOME, CITY)
	@[ -e "$(ALLMENDE_HOME)/config.toml" ] || $(BIN)/allmende init --city $(CITY) >/dev/null  # what it says comes next, comes now
	@exec $(BIN)/allmende serve

# What no profile changes, and what names its city, is run once; so are the connectors' tests (pytest ignores no path that
# its settings name).
KNOW_NO_CITY = $(addprefix tests/,cities client clients conformance connectors domain faces faults fuzz knowledge policy storage tools) \
  $(patsubst %,tests/browser/test_%.py,accounts alerts analyses analyst api_page boards catalogue driver explorer forecast_pages grants instruments making map \
    office operate ogc own_sensors persons planner rejections rulebook signs sql stories subscriptions) \
  tests/city/test_keeping.py \
  $(patsubst %,tests/city/parking/%,arrival $(patsubst %,test_%.py,bad_data captured_feeds choosing driver_page driver_words feeds inside \
    opening operate_pages places plausibility plausibility_recorded pricing read report report_page sign_controller signs signs_file state \
    statements tariffs tariffs_brute tariffs_page watching)) \
  $(patsubst %,tests/web/test_%.py,accounts alert_channels alert_pages alerts analyses audit_chain backup broker cli_processes compression \
    connections cores explorer forecasts group_table identity intake jena_devices limits listener lost_race maps openid \
    office_commands office_rights office_words ogc_records openness own_catalogue own_sensors pieces policies postgres \
    postgres_pool publisher refusals revisions rule_actions rule_desk rule_form rulebook rules service_commands sqlite_backend \
    subscription_push subscription_selection subscriptions taken transparency watering) tests/web/catalogue tests/web/downloads tests/web/harvest tests/web/sql
# What people write into forms, locks and finds again is looked at on PostgreSQL too; the store's own tests run on both.
ON_BOTH = $(patsubst %,tests/web/test_%.py,audit_page grants revisions)

test: ## all tests; those that a city's profile could break once with each city
	@$(SETUP) dev --browser
	ALLMENDE_TEST_CITY=jena $(BIN)/pytest -n $(JOBS) --dist loadgroup $(PYTEST)
	ALLMENDE_TEST_CITY=example $(BIN)/pytest -n $(JOBS) --dist loadgroup -o testpaths=tests $(KNOW_NO_CITY:%=--ignore=%) $(PYTEST) || [ $$? = 5 ]  # none of those asked for
	ALLMENDE_TEST_CITY=jena ALLMENDE_TEST_DATABASE=postgres $(BIN)/pytest $(ON_BOTH) $(PYTEST) || [ $$? = 5 ]

check: setup-dev ## style, types, layers, translations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/messages.py check
	$(BIN)/python tools/settings_page.py --check
	$(BIN)/python tools/check_types.py
	$(BIN)/allmende service check

bench: ## measures, each beside the raw limit
	@$(SETUP) dev --bench
	$(BIN)/python -m benchmarks

docs: ## the documentation, into site/
	@$(SETUP) docs
	$(BIN)/mkdocs build --strict

sbom: setup-dev ## the bill of materials (CycloneDX), into dist/
	$(BIN)/python tools/sbom.py

format: setup-dev ## put the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove all that was made, but the home with its data
	rm -rf .venv .setup site dist build frontend/node_modules src/allmende/web/static/build tests/artifacts
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find src tools tests benchmarks cities -name '*.mo' -delete -o -name __pycache__ -type d -prune -exec rm -rf {} +

clean-home: ## remove the home with all its data
	@$(PYTHON) -c "import sys; sys.exit(input('Remove $(ALLMENDE_HOME) and all its data? [yes/no] ') != 'yes')"
	rm -rf "$(ALLMENDE_HOME)"

setup:
	@$(SETUP) run

setup-dev:
	@$(SETUP) dev
