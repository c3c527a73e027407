PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: app test screenshot clean

app: .venv/app.stamp  ## Open the explorer in a browser.
	$(BIN)/compression-explorer app

test: .venv/test.stamp  ## Format, lint, types, and every test.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	sh .ci/chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not browser'
	$(BIN)/python -m pytest -m browser

screenshot: .venv/test.stamp  ## Draw notebooks/images/app.png anew.
	sh .ci/chromium
	$(BIN)/python -m tests.browser.screenshot
	$(BIN)/python -m tests.browser.pictures

clean:  ## Remove what this file made.
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# torch first and alone: its version is the one constraint that decides what everything else pulls in.
.venv/torch.stamp: constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) torch
	touch $@

.venv/app.stamp: .venv/torch.stamp pyproject.toml
	$(INSTALL) -e .
	touch $@

.venv/test.stamp: .venv/app.stamp
	$(INSTALL) -e '.[test]'
	touch $@
