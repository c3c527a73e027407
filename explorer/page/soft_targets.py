"""Softened answers of the page's network, at once: an image, a temperature, what comes of it."""

from __future__ import annotations

import math
import threading
from typing import Any

from ipywidgets import BoundedIntText, Button, FloatLogSlider, HBox, VBox
from torch import Tensor, nn

from explorer.controls.help_text import explain
from explorer.measure.formulas.training import softmax_formula
from explorer.measure.gallery import class_names, pixels_of, thumbnails
from explorer.measure.soft_targets import dark_knowledge, soft_targets
from explorer.session.latest_wins import LatestWins
from explorer.stopping import Stop
from explorer.train.teacher import Answered, Answers, answered
from explorer.views.formula import FormulaView
from explorer.views.images import PickedImagesView
from explorer.views.parts import caption
from explorer.views.students import SoftTargetsView
from explorer.widgets import View, show

LOW, HIGH, FIRST = 0.5, 32.0, 4.0
STEPS_TO_DOUBLE = 30
N_IMAGES = 12
NO_DATA = (
    "Soft targets are answers to labeled data, and there is none here: hand over pairs of input "
    "and class index with the network, Explorer(net, data), or choose a trained network."
)
ASKING = "Asking the network about the held-out samples\N{HORIZONTAL ELLIPSIS}"


class SoftTargetsPanel(View):
    """A card with images to pick from, a temperature, and the softened answers.

    The network is asked once, in the background; turning the temperature or picking another
    image computes from what it answered.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._worker = LatestWins("explorer-answers")
        self._answers: Answers | None = None
        self._data: Any = None
        self._student: nn.Module | None = None
        self._student_logits: Tensor | None = None
        self._shown: Answered | None = None
        self._names: tuple[str, ...] = ()
        self._images = PickedImagesView(self._pick)
        self._soft, self._formula, self._message = SoftTargetsView(), FormulaView(), caption()
        self._number = BoundedIntText(description="Image", min=0, max=0)
        explain(self._number, "Number of the image among the held-out samples, from 0.")
        self._steps = [
            self._step("Previous image of those held out.", -1),
            self._step("Next image of those held out.", 1),
        ]
        self.temperature = FloatLogSlider(
            value=FIRST,
            min=math.log10(LOW),
            max=math.log10(HIGH),
            step=math.log10(2) / STEPS_TO_DOUBLE,
            readout_format=".3g",
            description="Temperature T shown",
        )
        self.temperature.tooltip = (
            "T > 1 softens the answers: pᵢ = exp(zᵢ / T) / Σ exp(zⱼ / T). Higher shows more of "
            "which classes the teacher finds alike; at T = 1 they are as the network gives them."
        )
        for widget, name in ((self._number, "number"), (self.temperature, "temperature")):
            widget.add_class(f"ex-soft-{name}")
            widget.observe(lambda _change: self._show(), "value")
        self._body = self._composed()
        super().__init__([self._message, self._body], "ex-body")
        self._say(NO_DATA)

    def _step(self, words: str, by: int) -> Button:
        button = Button(description=words.split(maxsplit=1)[0])
        button.tooltip = words
        button.on_click(lambda _button: setattr(self._number, "value", self._number.value + by))
        return button

    def _composed(self) -> VBox:
        chooser = HBox([self._steps[0], self._number, self._steps[1]])
        chooser.add_class("ex-soft-chooser")
        pair = HBox([VBox([self._images, chooser, self.temperature]), self._soft])
        pair.add_class("ex-pair")
        return VBox([pair, self._formula])

    def draw(self, answers: Answers | None, data: Any) -> None:
        """Show what a network answers, unless it is shown; it is asked in the background."""
        if answers is not None and answers is self._answers:
            return
        with self._lock:
            self.forget()
            self._answers, self._data = answers, data
            self._say(NO_DATA if answers is None else ASKING)
        if answers is not None:
            self._worker.submit(self._ask)

    def teach(self, student: nn.Module) -> None:
        """Show a student's answers as well; it must not change any more."""
        with self._lock:
            self._student = student
        self._worker.submit(self._ask)

    def forget(self) -> None:
        """Drop what belongs to the network that was shown."""
        with self._lock:
            self._answers = self._data = self._student = self._student_logits = None
            self._shown = None

    def close(self) -> None:
        """End what runs, and release the widgets."""
        self._worker.close()
        super().close()

    def _ask(self, stale: Stop) -> None:
        """Ask the teacher, and the student where there is one; then draw."""
        answers, student = self._answers, self._student
        if answers is None:
            return
        try:
            found = answers.held_out(stale)
            if found is None or stale():
                return
            if self._shown is None:
                self._begin(found)
            if student is not None:
                self._ask_student(student, stale)
        except (ValueError, TypeError, RuntimeError) as error:
            if not stale():
                self._say(f"The network could not be asked: {error}")

    def _ask_student(self, student: nn.Module, stale: Stop) -> None:
        told = answered(student, getattr(self._data, "eval", self._data), stale)
        if told is not None and not stale():
            with self._lock:
                self._student_logits = told.logits
                self._show()

    def _begin(self, found: Answered) -> None:
        """Offer the images that resemble other classes most, and draw the first."""
        ranking = dark_knowledge(found.logits, found.labels, n=N_IMAGES)
        inputs = list(found.inputs(ranking.positions)) if len(ranking.positions) else []
        pixels = thumbnails(inputs, pixels_of(self._data))
        with self._lock:
            self._names = class_names(self._data, found.logits.shape[1])
            self._images.draw(ranking, pixels, self._names)
            first = int(ranking.positions[0]) if len(ranking.positions) else 0
            self._number.max = found.n - 1
            self._number.value = first
            self._shown = found
            self._say("")
            self._show()

    def _pick(self, position: int) -> None:
        self._number.value = position

    def _show(self) -> None:
        with self._lock:
            found, position = self._shown, self._number.value
            if found is None:
                return
            student = None if self._student_logits is None else self._student_logits[position]
            logits, temperature = found.logits[position], round(float(self.temperature.value), 6)
            label = int(found.labels[position])
            record = soft_targets(logits, temperature, label, self._names, student)
            self._soft.draw(record, logits)
            self._formula.draw(softmax_formula(logits, temperature))
            self._images.mark(position)
            for button, end in zip(self._steps, (0, self._number.max), strict=True):
                button.disabled = position == end

    def _say(self, words: str) -> None:
        """Show words in place of the views; "" shows the views."""
        self._message.value = words
        show(self._message, bool(words))
        show(self._body, not words)
