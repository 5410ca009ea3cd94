"""One provider at work: its tasks as it knows them, what it means to do next, and how it does it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from providers.simulator.conduct.plan import next_step
from providers.simulator.conduct.steps import FeeItem, Memory, Setting, Step
from providers.simulator.config import ProviderConfig
from providers.simulator.faults import FaultBox
from providers.simulator.portal_client import Outcome, PortalClient
from providers.simulator.task import Task, read_task
from providers.simulator.workdays import Workdays, instant

MAX_REFUSALS = 8


@dataclass(slots=True)
class TaskFile:
    """One task at this provider. `sending` is a report without an answer yet: it is sent unchanged until it has one."""

    task: Task
    heard_at: dt.datetime
    memory: Memory = field(default_factory=Memory)
    step: Step | None = None
    sending: tuple[Step, str, bytes] | None = None
    refusals: int = 0


class Desk:
    """All tasks of one provider, worked on by its server's one thread; `note_error` is told what must not happen."""

    def __init__(
        self,
        provider: ProviderConfig,
        client: PortalClient,
        workdays: Workdays,
        faults: FaultBox,
        note_error: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.provider = provider
        self.files: dict[str, TaskFile] = {}
        self._client = client
        self._workdays = workdays
        self._faults = faults
        self._note_error = note_error
        self._fees: dict[dt.date, Sequence[FeeItem]] = {}
        self._codes: Mapping[str, Any] | None = None

    def take_event(self, event: Mapping[str, Any], now: dt.datetime) -> str | None:
        """Learn from one push; returns the case number where it names one."""
        data = event.get("data")
        if not isinstance(data, Mapping):
            return None
        if "task_id" not in data:
            return str(data.get("case_no", ""))
        told_at = dt.datetime.fromisoformat(str(event["occurred_at"]))
        known = self.files.get(str(data["task_id"]))
        is_first = known is None and event.get("type") == "task.issued"
        is_newer = known is not None and told_at > known.heard_at and int(data["revision"]) >= known.task.revision
        # Anything that may be late or out of order is looked up instead of believed.
        document = data if is_first or is_newer else self._client.task(self.provider, str(data["task_id"]))
        self.learn(document, told_at if is_first or is_newer else now, now)
        return str(data.get("case_no", ""))

    def learn(self, document: Mapping[str, Any], heard_at: dt.datetime, now: dt.datetime) -> None:
        """Take a task document as the truth and think again about what to do."""
        task = read_task(document)
        file = self.files.get(task.task_id)
        if file is None:
            file = self.files[task.task_id] = TaskFile(task, heard_at)
        file.task, file.heard_at, file.refusals = task, max(heard_at, file.heard_at), 0
        self._think(file, now)

    def catch_up(self, now: dt.datetime) -> None:
        """Ask the portal for all open tasks, as after an outage."""
        for document in self._client.open_tasks(self.provider):
            if str(document.get("task_id")) not in self.files:
                self.learn(document, now, now)

    def next_due(self) -> list[tuple[dt.datetime, str]]:
        """(due, task id) of everything planned, unsorted."""
        return [(f.step.due_at, task_id) for task_id, f in self.files.items() if f.step is not None]

    def act(self, task_id: str, now: dt.datetime) -> bool:
        """Make the report that is due on this task. False if the portal gave no answer: try again later."""
        file = self.files[task_id]
        if file.sending is None:
            step = file.step
            assert step is not None
            file.sending = (step, f"rep{uuid.uuid4().hex}", self._render(file, step, now))
        step, message_id, raw = file.sending
        outcome = self._client.report(self.provider, task_id, message_id, raw)
        if outcome.verdict == "unanswered":
            return False
        self._check_repeat(task_id, message_id, raw, outcome)
        file.sending = file.step = None
        self._settle(file, step, raw, outcome, now)
        return True

    def _think(self, file: TaskFile, now: dt.datetime) -> None:
        file.step = next_step(file.task, file.memory, self._workdays, now)
        if file.step is not None:
            file.step = self._delayed(file, file.step)

    def _delayed(self, file: TaskFile, step: Step) -> Step | None:
        faults = self._faults.now
        if step.kind == "received" and faults.out_of_order:
            # An early report implies the signing: it is skipped, so that the portal meets this order too.
            file.memory.done[step.key] = step.due_at
            skipped = next_step(file.task, file.memory, self._workdays, file.heard_at)
            return self._delayed(file, skipped) if skipped is not None else None
        if step.kind != "reply" or not faults.late_days:
            return step
        due_at = file.task.due_at or step.due_at
        late_on = self._workdays.after(due_at.date(), faults.late_days)
        late_at = self._workdays.next_desk_time(dt.datetime.combine(late_on, dt.time(0), dt.UTC))
        return replace(step, due_at=late_at)

    def _render(self, file: TaskFile, step: Step, now: dt.datetime) -> bytes:
        setting = Setting(self.provider, now, self._workdays, self._published, self._code_list)
        report = {
            "kind": step.kind,
            "occurred_at": instant(now),
            "provider_ref": f"{self.provider.code.upper()}-{file.task.task_id[-8:]}",
            "operator": "值班员",
            "revision": file.task.revision,
            **step.build(setting),
        }
        return json.dumps(report, ensure_ascii=False).encode()

    def _settle(self, file: TaskFile, step: Step, raw: bytes, outcome: Outcome, now: dt.datetime) -> None:
        if outcome.verdict == "applied":
            file.memory.done[step.key] = now
            report = json.loads(raw)
            if report.get("verdict") == "rework":
                file.memory.reworked |= {str(d["sha256"]) for d in report["drawings"]}
        elif outcome.verdict == "refused":
            self._note_error({"task_id": file.task.task_id, "stage": file.task.stage, "kind": step.kind,
                              "status": outcome.status, "answer": outcome.body, "report": json.loads(raw)})  # fmt: skip
            file.memory.done[step.key] = now  # asking again with the same wrong figures would not help
        self._follow(file, outcome, now)

    def _follow(self, file: TaskFile, outcome: Outcome, now: dt.datetime) -> None:
        if outcome.document is not None:
            self.learn(outcome.document, now, now)
            return
        refusals = file.refusals + 1
        document = self._client.task(self.provider, file.task.task_id)
        self.learn(document, now, now)
        file.refusals = refusals
        if outcome.verdict == "not_expected" and file.step is not None:
            # The document still asks for it: wait for news or the next working day, not for ever.
            again_at = self._workdays.next_desk_time(now + dt.timedelta(hours=16))
            file.step = replace(file.step, due_at=again_at) if refusals < MAX_REFUSALS else None

    def _check_repeat(self, task_id: str, message_id: str, raw: bytes, first: Outcome) -> None:
        if not self._faults.now.duplicate_reports:
            return
        again = self._client.report(self.provider, task_id, message_id, raw)
        if again.verdict != "unanswered" and (again.status, again.body) != (first.status, first.body):
            self._note_error({"task_id": task_id, "kind": "duplicate", "first": first.body, "again": again.body})

    def _published(self, on: dt.date) -> Sequence[FeeItem]:
        if on not in self._fees:
            self._fees[on] = self._client.fee_items(self.provider, on)
        return self._fees[on]

    def _code_list(self, group: str) -> Sequence[str]:
        if self._codes is None:
            try:
                self._codes = self._client.codes(self.provider)
            except requests.RequestException:
                self._codes = {}
        entries = self._codes.get("items", [])
        return [str(entry.get("code", "")) for entry in entries if entry.get("group") == group]
