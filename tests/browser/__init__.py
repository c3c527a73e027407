"""The explorer in a real Chromium."""

import pytest

pytest.register_assert_rewrite("tests.browser.harness", "tests.browser.expected")
