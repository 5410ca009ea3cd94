"""A bar for each case, from filing to reconciled money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from providers.simulator.cases import DemoCase

STAGES = ("intake", "survey", "reply", "confirm", "review", "permits", "works", "acceptance", "connection", "closed")
NAMES = ("受理", "踏勘", "答复", "确认", "审图", "许可", "施工", "验收", "接通", "办结")
RECONCILED = len(STAGES)


class Bars:
    """Progress bars on `console`; nothing at all where they are not wanted."""

    def __init__(self, console: Console, *, is_shown: bool) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, disable=not is_shown)
        self._bars: dict[str, TaskID] = {}
        self._progress.start()

    def add(self, case: DemoCase) -> None:
        """Show a new case."""
        stage = "受理" if case.case_no else "未受理"
        self._bars[case.path.name] = self._progress.add_task(case.path.stem, total=RECONCILED, stage=stage)

    def show(self, case: DemoCase) -> None:
        """Move the bar of a case to its stage."""
        stage = str(case.record.get("stage") or "intake")
        index = STAGES.index(stage) if stage in STAGES else 0
        name = "已对账" if case.is_over else NAMES[index]
        done = RECONCILED if case.is_over else index
        self._progress.update(self._bars[case.path.name], completed=done, stage=name)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()
