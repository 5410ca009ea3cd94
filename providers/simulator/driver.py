"""`make demo`: files the applications, lets everybody act through pages and HTTP, moves the calendar, sums up."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping

from rich.console import Console

from providers.simulator.cases import DemoCase, People, start_case
from providers.simulator.clocks import Clocks, Look
from providers.simulator.demo_config import DemoConfig
from providers.simulator.fault_mix import GATEWAY_FAULTS, SIMULATOR_FAULTS
from providers.simulator.pages import PageError
from providers.simulator.people import CASE_ACTS, Agency, Supervisor
from providers.simulator.progress import Bars
from providers.simulator.summary import is_finished, print_table, save_documents, waits_for, write_summary

IDLE_LIMIT_S = 60
MAX_SAME_ACT = 6
SAME_ACT_PAUSE_S = 1.0
LOOK_AT_ALL_EVERY = 20
STUCK_AFTER = dt.timedelta(days=120)


class Stuck(Exception):
    """Nobody can act and nothing is planned, or the time given is over; the message says who is waited for."""


def run_demo(config: DemoConfig) -> int:
    """Run all applications to their end and write the results. Returns the process's exit code.

    0 only when each case is closed, settled and reconciled, or was refused for the reason shown; portal, worker,
    simulators and gateway are already running at the addresses of `config`.
    """
    console = Console()
    run = Run(config, console)
    trouble: list[str] = []
    try:
        run.start()
        run.drive()
        trouble += run.finish()
    except (Stuck, PageError, LookupError, ValueError, TypeError, OSError) as stopped:
        trouble.append(f"{type(stopped).__name__}: {stopped}")
    finally:
        run.bars.stop()
    entries = [case.entry() for case in run.cases]
    write_summary(entries, config.out_dir / "summary.json")
    print_table(entries, console)
    for line in trouble:
        console.print(line, style="red", markup=False)
    return 1 if trouble or not entries else 0


class Run:
    """One run of the demo: who takes part and how far each case is."""

    def __init__(self, config: DemoConfig, console: Console) -> None:
        self.config = config
        self.cases: list[DemoCase] = []
        self.bars = Bars(console, is_shown=config.progress)
        self._clocks = Clocks(config.portal_url, config.simulator_urls.values(), config.gateway_url)
        self._end = time.monotonic() + config.wall_limit_s
        self._supervisor = Supervisor(config.portal_url, config.person("supervisor"))
        self._agency = Agency(config.portal_url, config.person("lead_agency"))
        self._seen: Mapping[str, int] = {}
        self._alive_at: dt.datetime | None = None
        self._steps = 0
        self._looks_at_all = True

    @property
    def running(self) -> list[DemoCase]:
        """Cases not at their end."""
        return [case for case in self.cases if not case.is_over]

    def start(self) -> None:
        """Everybody signs in, the fault switches are set, all applications are filed and accepted."""
        now = self._clocks.look().now
        self._clocks.tell(now)
        for person in (self._supervisor, self._agency):
            person.sign_in()
        people = People(self.config)
        if self.config.faults:
            self._turn_on_faults()
        for path in self.config.applications:
            case = start_case(self.config, people, path, now)
            self.cases.append(case)
            self.bars.add(case)

    def _turn_on_faults(self) -> None:
        for utility, url in self.config.simulator_urls.items():
            self._clocks.set_faults(url, SIMULATOR_FAULTS.get(utility, {}))
        if self.config.gateway_url:
            self._clocks.set_faults(self.config.gateway_url, GATEWAY_FAULTS)

    def drive(self) -> None:
        """Act, wait until nothing is under way, move the calendar; until every case is at its end. Raises Stuck."""
        while self.running:
            look = self._wait()
            next_at = look.next_time()
            if self._act(look) or (next_at is None and self._act(look, everywhere=True)):
                continue
            self._read_records(all_of_them=next_at is None)
            if self.running:
                self._move(next_at)
                # What the portal does by itself when its time has come need not reach any simulator.
                self._looks_at_all = next_at == look.portal_next

    def _wait(self) -> Look:
        look = self._clocks.wait_idle(min(IDLE_LIMIT_S, self._end - time.monotonic()))
        if look.errors:
            raise Stuck(f"a simulator's report was refused: {look.errors[0]}")
        if time.monotonic() >= self._end:
            raise Stuck(f"the {self.config.wall_limit_s:g} s given are over; {self._who_is_awaited()}")
        if not look.is_idle:
            raise Stuck(f"the portal or a simulator stays busy (portal {look.portal_pending}, others {look.busy})")
        return look

    def _act(self, look: Look, *, everywhere: bool = False) -> bool:
        """Everybody does what the pages offer; True if somebody did something."""
        changed = {name for name, count in look.activity.items() if count != self._seen.get(name)}
        looks_at_all = everywhere or self._looks_at_all or self._steps % LOOK_AT_ALL_EVERY == 0 or "" in changed
        self._looks_at_all = False
        self._seen = look.activity
        self._alive_at = look.now if changed or self._alive_at is None else self._alive_at
        visited = [case for case in self.running if looks_at_all or case.case_no in changed]
        for case in visited:
            case.is_changed = True
        acts = sum([self._visit(case, look.now) for case in visited])
        if visited:
            acts += self._agency.work(look.now)
        self._steps += 1
        return acts > 0

    def _visit(self, case: DemoCase, now: dt.datetime) -> int:
        """Do everything a case page offers, page by page; returns how many acts."""
        applicant, case_no = case.applicant, case.case_no
        assert applicant is not None
        assert case_no is not None
        acts = 0
        while True:
            page = applicant.open_case(case_no)
            form = next((f for f in page.forms_for(*CASE_ACTS) if self._may_send(case, f.identity, now)), None)
            if form is not None:
                applicant.act(form, now)
            else:
                links = [link for link in page.links if link.act == "cashier"]
                link = next((one for one in links if self._may_send(case, one.href, now)), None)
                if link is None:
                    return acts
                applicant.pay_at(link.href, now)
            acts += 1

    def _may_send(self, case: DemoCase, identity: str, now: dt.datetime) -> bool:
        """Not the same act twice at the same moment: what was done may take a while to show."""
        times, last = case.acts.get(identity, (0, None))
        if last == now:
            return False
        if times >= MAX_SAME_ACT:
            raise Stuck(f"{case.case_no}: the page offers the same act again and again: {identity}")
        case.acts[identity] = (times + 1, now)
        return True

    def _read_records(self, *, all_of_them: bool) -> None:
        for case in self.running:
            # What follows closing (settlement, reconciliation) tells no provider anything: it is looked up each time.
            if not (all_of_them or case.is_changed or case.record.get("state") == "closed"):
                continue
            case.is_changed = False
            case.record = self._supervisor.record(str(case.case_no))
            if is_finished(case.record):
                case.end()
            self.bars.show(case)

    def _move(self, next_at: dt.datetime | None) -> None:
        if next_at is None:
            raise Stuck(f"nobody can act and nothing is planned; {self._who_is_awaited()}")
        if self._alive_at is not None and next_at - self._alive_at > STUCK_AFTER:
            raise Stuck(f"nothing has happened since {self._alive_at}; {self._who_is_awaited()}")
        self._clocks.move_to(next_at)

    def _who_is_awaited(self) -> str:
        lines = [f"{case.path.name} ({case.case_no}) waits for {waits_for(case.record)}" for case in self.running]
        return "; ".join(lines)

    def finish(self) -> list[str]:
        """Save the documents of every case; returns what is wrong."""
        wrong: list[str] = []
        for case in self.cases:
            if case.case_no is None:
                continue
            wrong += save_documents(self._supervisor, case.record, self.config.out_dir / case.case_no)
            if not case.record.get("ledger", {}).get("balanced", True):
                wrong.append(f"{case.path.name}: the ledger does not balance")
        return wrong
