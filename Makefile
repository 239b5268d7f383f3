# Every target sets up what it needs. PYTHON names the interpreter that .venv is made with.
PYTHON ?= python3
BIN := .venv/bin
LOCAL := $(BIN)/python -m portal.local
INSTALL := @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo 'Python 3.11 or newer is needed as $(PYTHON): install it, or name one, as in: make PYTHON=python3.12 run' >&2; \
	exit 1; }; $(PYTHON) portal/local/install.py
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url $(UPGRADE)

# For commands that read the settings and talk to no server: made-up values in the form of a real site's.
SETTINGS := env --unset=KLARLAGT_DEMO --unset=MAILBOX_DIR \
	DATABASE_URL=postgres://klarlagt:none@localhost/klarlagt REDIS_URL=redis://localhost/0 EMAIL_URL=smtp://localhost \
	PUBLIC_URL=https://klarlagt.example.org SECRET_KEY=only-for-checks-and-catalogs-0123456789-abcdefghijklmnopqrstuvwxyz
TEMPLATES = $$(find templates -name '*.html')
PYTHON_FILES = $$(find portal rumors events tests manage.py -name '*.py')

.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt backup restore bench chaos messages lock

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: ## install everything, start the embedded services once, migrate
	$(INSTALL) gettext pango chromium libical
	@$(LOCAL) setup

run: ## the site on http://localhost:8000 with demo content (PORT=... for another port)
	$(INSTALL) pango?
	@$(LOCAL) run

# One process more than there are cores: tests of servers and stories wait a good deal.
test: ## all tests, browser stories included (ARGS=... for pytest)
	$(INSTALL) gettext pango chromium libical
	@$(LOCAL) test -- --numprocesses=$$(($$(nproc) + 1)) --dist=worksteal $(ARGS)

check: ## formatters, linters, types, import contracts, templates, migrations, catalogs
	$(INSTALL) gettext pango
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/djlint --check templates
	@$(BIN)/djlint --quiet --lint templates
	@$(BIN)/djade --target-version 5.2 --check $(TEMPLATES)
	@$(BIN)/django-upgrade --target-version 5.2 --check $(PYTHON_FILES)
	@$(SETTINGS) $(BIN)/mypy portal rumors events
	@$(SETTINGS) $(BIN)/lint-imports --no-logo
	@$(BIN)/deptry .
	@$(SETTINGS) $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(LOCAL) exec --fresh -- $(BIN)/python manage.py makemigrations --check --dry-run
	@find locale -name '*.po' | while read -r po; do \
		msgfmt --check-format --output-file=- "$$po" | cmp --silent - "$${po%.po}.mo" || \
		{ echo "$${po%.po}.mo is older than its .po: make messages" >&2; exit 1; }; done

fmt: ## let the formatters write
	$(INSTALL)
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@-$(BIN)/djlint --quiet --reformat templates
	@-$(BIN)/djade --target-version 5.2 $(TEMPLATES)
	@-$(BIN)/django-upgrade --target-version 5.2 $(PYTHON_FILES)

backup: ## database and media into one file (FILE=... for its name)
	$(INSTALL)
	@$(LOCAL) backup $(if $(FILE),'$(FILE)')

restore: ## FILE=... into an empty place
	@test -n '$(FILE)' || { echo 'Name the backup: make restore FILE=...' >&2; exit 1; }
	$(INSTALL)
	@$(LOCAL) restore '$(FILE)'

bench: ## the benchmarks, as ratios against a bare Django view
	$(INSTALL)
	@$(LOCAL) exec --fresh -- $(BIN)/python -m tests.bench $(ARGS)

chaos: ## deliver mail while everything that delivers it is killed (ARGS=small, or seeds: ARGS='1 2 3 4 5')
	$(INSTALL)
	@$(BIN)/python -m tests.chaos $(ARGS)

messages: ## gather what is to be translated, compile what is
	$(INSTALL) gettext
	@$(SETTINGS) $(BIN)/python manage.py makemessages --all --no-wrap --add-location file --ignore '.*' --ignore 'tests/*' --ignore 'static/*'
	@$(SETTINGS) $(BIN)/python manage.py compilemessages --ignore '.*'

lock: ## write the hashed locks from pyproject.toml (UPGRADE=--upgrade for newer releases)
	$(INSTALL)
	@$(LOCK) --extra matching --output-file requirements/site.lock
	@$(LOCK) --extra matching --extra local --output-file requirements/run.lock
	@$(LOCK) --extra matching --extra local --extra dev --output-file requirements/dev.lock
