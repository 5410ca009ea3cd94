# The commands a person needs. Everything else is `python app.py <command>`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-for-tests

.PHONY: help run demo test check bench soak screenshots clean

help:
	@echo "make run | demo | test | check | bench | soak | screenshots"

$(STAMP): requirements.txt requirements-dev.txt scripts/setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh
	@touch $(STAMP)

# Tests need a browser besides.
$(TEST_STAMP): requirements.txt requirements-dev.txt scripts/setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh --tests
	@touch $(STAMP) $(TEST_STAMP)

run: $(STAMP)
	@$(BIN)/python app.py run

demo: $(STAMP)
	@$(BIN)/python app.py demo $(if $(FAULTS),--faults) $(APPLICATION)

test: $(TEST_STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadgroup

# The same tests; those of faults, races and kills at full size instead of about a twentieth.
soak: $(TEST_STAMP)
	@PORTAL_SOAK=1 $(BIN)/python -m pytest -n auto --dist loadgroup

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

screenshots: $(TEST_STAMP)
	@$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf out .pytest_cache .mypy_cache .ruff_cache
