import pytest

from explorer.measure.accuracy import Accuracy
from explorer.measure.published.networks import Place, PublishedNetwork, same_network, tradeoffs

SMALL = PublishedNetwork("small", 2_000_000, 1e8, 0.6, 0.8, 8_000_000)
LARGE = PublishedNetwork("large", 60_000_000, 7e8, 0.57, 0.79, 240_000_000)
NETWORKS = (LARGE, SMALL)
BEFORE, AFTER = Place(700_000_000, 240_000_000), Place(100_000_000, 9_000_000)


def place(n_classes=1000, n_params=60_000_000, **measured):
    return tradeoffs(NETWORKS, BEFORE, AFTER, n_params, n_classes, **measured)


def test_networks_are_listed_by_operations_with_points_per_million():
    assert [network.name for network in place().networks] == ["small", "large"]
    assert SMALL.density == pytest.approx(30.0)


def test_the_table_begins_with_the_most_accurate():
    networks = (LARGE, SMALL, PublishedNetwork("best", 1, 3e8, 0.7, 0.9, 4))
    found = tradeoffs(networks, BEFORE, AFTER, 1, 1000)
    assert [network.name for network in found.best_first] == ["best", "small", "large"]


def test_digits_are_not_compared_with_photographs():
    found = place(10, 266_610, accuracy=Accuracy.from_counts(97, 99, 100))
    assert found.before.top1 is None and found.after.top1 is None
    assert "10 classes apart, these networks 1,000" in found.reason
    assert "cannot be compared" in found.reason


def test_a_known_network_without_data_has_its_published_accuracy_before_and_none_after():
    found = place()
    assert (found.name, found.before.top1, found.after.top1) == ("large", 0.57, None)
    assert "No data were given" in found.reason and "published weights" in found.reason


def test_measured_accuracy_goes_before_the_published_one():
    found = place(
        accuracy=Accuracy.from_counts(50, 70, 100),
        original_accuracy=Accuracy.from_counts(55, 75, 100),
    )
    assert (found.before.top1, found.after.top1, found.reason) == (0.55, 0.5, "")


def test_a_network_of_ones_own_has_no_name():
    found = place(n_params=1234)
    assert (found.name, found.before.top1) == ("", None)
    assert found.reason == "No data were given: its accuracy is not measured."


def test_without_operations_nothing_is_placed():
    found = tradeoffs(NETWORKS, None, None, 1, 1000)
    assert found.before is found.after is None
    assert "give the shape of an input" in found.reason


def test_the_same_network_has_the_same_parameters_and_operations():
    assert same_network(NETWORKS, 60_000_000, 700_000_000) is LARGE
    assert same_network(NETWORKS, 60_000_001, 700_000_000) is None
    assert same_network(NETWORKS, 60_000_000, 600_000_000) is None
