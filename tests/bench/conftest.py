"""A small network under measurement."""

import pytest

from explorer.bench.subject import Subject


@pytest.fixture
def subject():
    made = Subject.load("lenet-300-100")
    yield made
    made.close()
