# `make help` says what there is. Everything is installed into .venv, and only when
# pyproject.toml has changed since; but for a font and Chromium, which are the distribution's.

VENV := .venv
BIN := $(VENV)/bin
# The first of these that runs, is new enough, and can make a virtual environment.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$python && break; done)
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test browser check format bench bench-peers fuzz fuzz-api soak clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo 'Options for the tool underneath go into ARGS: make test ARGS="-k browse -x"'

run: $(VENV)/installed $(VENV)/font ## run Peyk on sample data, with a simulated operator (Ctrl-C stops both)
	@$(BIN)/peyk init --demo
	@$(BIN)/peyk smsc --background
	@echo
	@echo 'Peyk starts below. In a second terminal, in this folder, try:'
	@echo
	@echo "  $(BIN)/peyk sms --from 09131234567 --to 100034122 '010*10000001*4321'"
	@echo "  $(BIN)/peyk sms --from 09131234567 --to 100034122 'پرداخت بدهی 10000001 4321'"
	@echo '      and open the link of the answer in a browser'
	@echo "  $(BIN)/peyk ussd --from 09161234567 '*1522#'"
	@echo "  $(BIN)/peyk ussd --from 09161234567 '*1522*2*1#'"
	@echo "  $(BIN)/peyk sms --from 09131234567 --to 500025194 '15500*5*101100000101'"
	@echo "  $(BIN)/peyk sms --from 09131234567 --to 100025121 'مصرف 4000000104129 1404'"
	@echo '      README.md has more, docs/services.md all of them'
	@echo '  $(BIN)/peyk health'
	@echo '  $(BIN)/peyk smsc --stop          the operator goes; ask for health again'
	@echo '  $(BIN)/peyk smsc --background    it comes back, and so does the bind'
	@echo '  $(BIN)/peyk inbox'
	@echo
	@# The operator is in a session of its own: it outlives Ctrl-C until the daemon has
	@# said goodbye to it. Whatever the daemon ends with is what make ends with.
	@trap : INT TERM; $(BIN)/peyk run; code=$$?; \
		$(BIN)/peyk smsc --stop || true; exit $$code

test: $(VENV)/installed-dev browser ## run every test, two files at a time
	@# In the order of the folders: what takes long is in the first.
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# Tests of pages need Chromium, which is no Python package: from the distribution where that
# is allowed; elsewhere those tests fail and say what to install.
browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ]; then root=; else root='sudo -n'; fi; \
	echo "installing Chromium for the tests of pages, where that is allowed"; \
	if command -v apt-get >/dev/null && $${root:-env} true 2>/dev/null; then \
		$$root apt-get install --quiet --yes --no-install-recommends chromium; \
	elif command -v dnf >/dev/null && $${root:-env} true 2>/dev/null; then \
		$$root dnf install --quiet --assumeyes chromium; fi || true

check: $(VENV)/installed-dev ## look the code over: ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## put the code in its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/installed-dev ## measure, as bench/README.md describes
	$(BIN)/python -m bench.run $(ARGS)

bench-peers: $(VENV)/installed-dev ## measure beside Kannel, where it is installed
	$(BIN)/python -m bench.peers $(ARGS)

soak: $(VENV)/installed-dev ## send at a rate by one daemon and by several, for some minutes
	$(BIN)/python -m pytest -m soak -s tests/acceptance/test_several_daemons.py $(ARGS)

fuzz-api: $(VENV)/installed-dev ## ask the API whatever its schema allows, and what not, for minutes
	$(BIN)/python -m pytest -m soak -s tests/integration/api/test_schema.py $(ARGS)

fuzz: $(VENV)/installed-dev ## throw broken PDUs at the codec and the session for a minute
	$(BIN)/python -m tests.fuzz.fuzz_smpp $(ARGS)

clean: ## remove what was installed and what tools have cached; data in run/ stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo 'Peyk needs Python 3.11 or newer with its venv module' \
		'(on Debian: apt install python3 python3-venv).' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --editable .
	@touch $@

# Dependency groups need a pip that knows them.
$(VENV)/installed-dev: pyproject.toml $(VENV)/installed
	$(BIN)/pip install --quiet 'pip>=25.1'
	$(BIN)/pip install --quiet --group dev
	@touch $@

# The desk's Persian font is no Python package: it is asked for once. Debian 12 has no Vazirmatn:
# Noto, which is larger. Where neither may be installed, pages use the reader's own fonts.
$(VENV)/font: | $(VENV)/installed
	@set -- -o Acquire::Retries=0 -o Acquire::http::Timeout=10 --quiet --yes --no-install-recommends; \
	for file in 'truetype/vazirmatn/Vazirmatn[wght].ttf' 'vazirmatn-vf-fonts/Vazirmatn[wght].ttf' \
		truetype/noto/NotoSansArabic-Bold.ttf; do \
		test -e "/usr/share/fonts/$$file" && touch $@ && exit 0; done; \
	if [ "$$(id -u)" = 0 ]; then root=env; else root='sudo -n'; fi; touch $@; \
	if $$root true 2>/dev/null; then \
		echo 'installing a Persian font for the desk'; \
		for name in fonts-vazirmatn-variable fonts-noto-core; do \
			$$root apt-get install "$$@" $$name >/dev/null 2>&1 </dev/null && exit 0; done; \
		$$root dnf install --quiet --assumeyes vazirmatn-vf-fonts >/dev/null 2>&1 && exit 0; fi; \
	echo 'the desk goes without a Persian font of its own: docs/operating.md says which to install'
