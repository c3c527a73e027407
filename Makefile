PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: app test screenshot wheel-check oldest clean

app: .venv/app.stamp  ## Open the explorer in a browser.
	$(BIN)/compression-explorer app

test: .venv/test.stamp  ## Format, lint, types, and every test; those that fail are named at the end.
	sh .ci/every "$(BIN)/ruff check ." "$(BIN)/ruff format --check ." "$(BIN)/mypy" \
		"$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not browser'" \
		"sh .ci/chromium && $(BIN)/python -m pytest tests/browser -m browser"

screenshot: .venv/test.stamp  ## Draw notebooks/images/app.png anew.
	sh .ci/chromium
	$(BIN)/python -m tests.browser.screenshot
	$(BIN)/python -m tests.browser.pictures

wheel-check: .venv/test.stamp  ## Install the wheel by itself and let it answer.
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -c "from hatchling.build import build_wheel; build_wheel('build/wheel')"
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install -q -c constraints.txt torch
	build/wheel/venv/bin/python -m pip install -q -c constraints.txt build/wheel/*.whl
	cd build/wheel && venv/bin/compression-explorer models

oldest:  ## The core tests with the lowest versions (downloads several GB).
	$(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install -q -c tests/oldest.txt torch torchvision
	build/oldest/bin/python -m pip install -q -c tests/oldest.txt '.[bench,cluster,onnx]' pytest hypothesis nbclient pyyaml
	build/oldest/bin/python -m pytest tests/controls tests/views tests/page tests/codec tests/compress

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
