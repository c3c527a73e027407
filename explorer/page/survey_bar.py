"""Start, pause and stop what a survey measures, and say how far it is."""

from __future__ import annotations

from collections.abc import Callable

from explorer.page.words import failure_text, seconds_text
from explorer.session.background import State
from explorer.session.survey import Job, Survey
from explorer.views.run_bar import RunBar


class SurveyBar(RunBar):
    """The buttons and the status line of one kind of job."""

    def __init__(
        self,
        kind: type[Job],
        start: Callable[[], None],
        survey: Callable[[], Survey | None],
        action: str,
    ) -> None:
        self._kind, self._survey = kind, survey
        pressed = {
            "start": start,
            "pause": lambda: self._tell(Survey.pause),
            "resume": lambda: self._tell(Survey.resume),
            "stop": lambda: self._tell(Survey.stop),
        }
        super().__init__(pressed)
        self._buttons["start"].description = action

    def draw(self) -> None:
        """Say how the job stands, and offer what can be done."""
        survey = self._survey()
        own = survey if survey is not None and isinstance(survey.job, self._kind) else None
        if own is not None and own.active:
            paused = own.state is State.PAUSED
            self.offer("resume" if paused else "pause", "stop")
            self.work(*_progress(own, paused))
        else:
            self.offer(*(["start"] if survey is not None else []))
            self.rest("")
        error = own.error if own is not None else None
        self.fail(failure_text(error) if error else "")

    def _tell(self, action: Callable[[Survey], None]) -> None:
        survey = self._survey()
        if survey is not None:
            action(survey)


def _progress(survey: Survey, paused: bool) -> tuple[str, float | None]:
    """Say how far a job is, and the part done."""
    progress = survey.progress
    if progress is None:
        return "Preparing\N{HORIZONTAL ELLIPSIS}", None
    told = f"{progress.done} of {progress.total} points"
    left = f"about {seconds_text(progress.remaining_s)} left"
    return f"{told}, {'paused' if paused else left}.", progress.done / max(1, progress.total)


def samples_words(survey: Survey | None) -> str:
    """Say on how many samples a survey judges."""
    n, n_total = survey.samples if survey is not None else (0, 0)
    if not n:
        return ""
    if n < n_total:
        return f"Judged on {n:,} of {n_total:,} samples, evenly spaced, to be quick."
    return f"Judged on {n:,} samples."
