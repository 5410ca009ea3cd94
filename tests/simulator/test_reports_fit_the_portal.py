"""What the simulators send is read by the portal's own strict types: two implementations of one protocol page."""

from __future__ import annotations

import json

import pytest

from portal.exchange.wire import parse_report
from providers.simulator.config import UTILITIES
from tests.simulator.test_servers import PARTS


@pytest.mark.parametrize("utility", UTILITIES)
def test_reports_of_every_stage_parse(world, portal, utility):
    visit = {"start_at": "2026-11-25T09:00:00+08:00", "end_at": "2026-11-25T10:00:00+08:00"}
    drawing = {"kind": "design_drawing", "version": 1, "sha256": "a" * 64, "url": "/x"}
    for stage in ("survey", "reply", "review", "works", "acceptance", "connection"):
        task = portal.issue(stage, f"{utility}-linhe", utility, PARTS[utility])
        if stage == "survey":
            portal.push(world.url(utility), task)
            world.settle()
            task = portal.tasks[task["task_id"]]
            task["shared_facts"]["visit"] = visit
            task["expects"] = ["findings"]
            portal.push(world.url(utility), task, "visit.fixed", occurred_at="2026-11-24T09:30:00+08:00")
        else:
            if stage == "review":
                task |= {"drawings": [drawing], "expects": ["received", "review"]}
            portal.push(world.url(utility), task)
        world.run_until_quiet()
    kinds = set()
    for _, report in portal.reports:
        assert parse_report(json.dumps(report).encode()).kind == report["kind"]
        kinds.add(report["kind"])
    expected = {"received", "availability", "findings", "review", "works", "acceptance", "connected"}
    assert kinds >= expected | {"question" if utility == "heating" else "reply"}
