"""Settings: learning rates by hand, steps, and what is refused."""

import pytest
import torch

from explorer.train.settings import TrainSettings, for_retraining


def test_learning_rates_by_hand():
    cosine = TrainSettings(n_epochs=2, batch_size=10, learning_rate=0.4)
    assert [cosine.rate_at(step, 20) for step in range(4)] == pytest.approx(
        [0.4, 0.2 * (1 + 0.5**0.5), 0.2, 0.2 * (1 - 0.5**0.5)]
    )
    stepped = TrainSettings(
        batch_size=10, learning_rate=0.4, schedule="step", step_epochs=2, step_factor=0.5
    )
    assert [stepped.rate_at(step, 20) for step in (0, 3, 4, 8)] == pytest.approx(
        [0.4, 0.4, 0.2, 0.1]
    )
    constant = TrainSettings(learning_rate=0.4, schedule="constant")
    assert constant.rate_at(10**6, 20) == 0.4


def test_cosine_is_that_of_torch():
    settings = TrainSettings(n_epochs=5, batch_size=4, learning_rate=0.3)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.n_steps(12))
    for step in range(settings.n_steps(12)):
        rate = optimizer.param_groups[0]["lr"]
        assert settings.rate_at(step, 12) == pytest.approx(rate, abs=1e-9)
        optimizer.step()
        theirs.step()


def test_steps():
    settings = TrainSettings(n_epochs=3, batch_size=10)
    assert settings.steps_an_epoch(25) == 2
    assert settings.n_steps(25) == 6
    assert settings.steps_an_epoch(4) == 1
    assert TrainSettings(n_epochs=3, batch_size=10, max_steps=4).n_steps(25) == 4
    assert TrainSettings(n_epochs=0).n_steps(25) == 0


def test_retraining_takes_a_tenth_of_the_rate():
    assert for_retraining(TrainSettings(learning_rate=0.05)).learning_rate == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("field", "value", "error", "words"),
    [
        ("learning_rate", 0, ValueError, "learning_rate must be finite and positive; got 0"),
        ("learning_rate", float("inf"), ValueError, "learning_rate must be finite"),
        ("weight_decay", -1, ValueError, "weight_decay must be finite and at least 0"),
        ("n_epochs", -1, ValueError, "n_epochs must be from 0"),
        ("n_epochs", None, TypeError, "n_epochs must be an integer; got None"),
        ("batch_size", 0, ValueError, "batch_size must be from 1"),
        ("batch_size", 1.5, TypeError, "batch_size must be an integer"),
        ("momentum", 1, ValueError, "momentum must be less than 1"),
        ("momentum", None, TypeError, "momentum must be a number"),
        ("step_factor", 2, ValueError, "step_factor must be in"),
        ("optimizer", "lion", ValueError, "optimizer must be one of 'sgd', 'adam'"),
        ("schedule", "up", ValueError, "schedule must be one of"),
        ("nesterov", 1, TypeError, "nesterov must be True or False"),
    ],
)
def test_bad_fields(field, value, error, words):
    with pytest.raises(error, match=words):
        TrainSettings(**{field: value})
