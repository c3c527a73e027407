"""Several trainings told as one run: stage after stage, in each some networks in turns."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from explorer.session.trainee import Moment
from explorer.train.records import TrainRecord


@dataclass(frozen=True)
class Stage:
    """One stage of a course.

    Attributes
    ----------
    n_steps : int
        Of each of its networks.
    n_nets : int
    """

    n_steps: int
    n_nets: int


class Course:
    """Counts steps and time over all stages.

    Parameters
    ----------
    stages : sequence of Stage
    n_lanes : int
        Networks that a run's time left is multiplied by where it is shown.
    named : bool
        Whether the stages are told as such, and not as one.
    """

    def __init__(self, stages: Sequence[Stage], n_lanes: int, named: bool = True) -> None:
        self._stages, self._n_lanes, self._named = stages, n_lanes, named
        self._spent_s = 0.0

    def follow(
        self, number: int, runs: Mapping[str, Iterator[TrainRecord]]
    ) -> Generator[Moment, None, dict[str, TrainRecord]]:
        """Run a stage, and return its last records by network.

        Parameters
        ----------
        number : int
            Of the stage, from 0.
        runs : mapping of str to iterator of TrainRecord
            By the network's name.

        Yields
        ------
        Moment
            Its steps and times are those of the whole course.
        """
        last: dict[str, TrainRecord] = {}
        for records in zip(*runs.values(), strict=False):
            for name, record in zip(runs, records, strict=True):
                last[name] = record
                yield Moment(self._placed(number, record, last), name)
        self._spent_s += _seconds(last)
        return last

    def _placed(
        self, number: int, record: TrainRecord, last: Mapping[str, TrainRecord]
    ) -> TrainRecord:
        before = self._stages[:number]
        done = sum(stage.n_steps * stage.n_nets for stage in before)
        done += sum(each.step for each in last.values())
        n = sum(stage.n_steps * stage.n_nets for stage in self._stages)
        spent_s = self._spent_s + _seconds(last)
        return replace(
            record,
            step=sum(stage.n_steps for stage in before) + record.step,
            n_steps=sum(stage.n_steps for stage in self._stages),
            remaining_s=spent_s / max(1, done) * (n - done) / self._n_lanes,
            stage=number if self._named else 0,
            n_stages=len(self._stages) if self._named else 1,
        )


def _seconds(records: Mapping[str, TrainRecord]) -> float:
    return sum(record.elapsed_s for record in records.values())


def finished(records: Mapping[str, TrainRecord]) -> bool:
    """Whether all networks of a stage were trained to the end and judged."""
    return bool(records) and all(
        record.done and record.validation is not None for record in records.values()
    )
