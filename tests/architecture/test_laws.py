"""The laws of the house that a machine can check: one commit point, pure rules, no clock, no big files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.architecture.source import ROOT, calls, dotted, imported, name_of, python_files, tree_of

COMMIT_POINT = "portal/kernel/database.py"
MAX_LINES, MAX_FUNCTION_LINES = 300, 40
# Modules of the rule wings that do read or write tables, or speak to something outside.
NOT_PURE = re.compile(r"\.(tables|queries|gateway|port|ledger\w*|capture\w*)(\.|$)")
RULE_WINGS = ("portal.cases", "portal.billing")
IMPURE = ("flask", "sqlalchemy", "flask_sqlalchemy", "wtforms", "requests")
CLOCK_READERS = {"portal/kernel/clock.py"}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|handlers?|data)$")


def test_everybody_imports_only_what_is_below():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_kernel_commits():
    found = [
        f"{name_of(path)}:{line} {name}()"
        for path in python_files("portal", "providers", "forms")
        for name, line in calls(path)
        if name.endswith((".commit", "session.begin")) and name_of(path) != COMMIT_POINT
    ]
    assert found == []


def test_only_use_cases_open_a_transaction():
    found = [
        f"{name_of(path)}:{line}"
        for path in [*python_files("portal", "providers", "forms"), ROOT / "app.py"]
        for name, line in calls(path)
        if name.split(".")[-1] == "transaction" and not name_of(path).startswith("portal/journey/")
    ]
    assert found == []


def test_a_use_case_opens_one_transaction():
    found = []
    for path in python_files("portal/journey"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef):
                opened = [
                    inner.lineno
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Call) and dotted(inner.func) == "transaction"
                ]
                found += [f"{name_of(path)}:{line} in {node.name}" for line in opened[1:]]
    assert found == []


def rule_modules() -> list[str]:
    graph = grimp.build_graph("portal", include_external_packages=True, cache_dir=None)
    return sorted(
        module
        for wing in RULE_WINGS
        for module in graph.find_descendants(wing)
        if not NOT_PURE.search(module) and not graph.find_children(module)
    )


def test_rules_stand_on_no_framework_and_no_database():
    graph = grimp.build_graph("portal", include_external_packages=True, cache_dir=None)
    found = []
    for module in rule_modules():
        for outside in IMPURE:
            chain = graph.find_shortest_chain(module, outside) if outside in graph.modules else None
            if chain:
                found.append(" → ".join(chain))
    assert found == []


def test_the_rules_of_the_joint_process_are_among_them():
    assert {"portal.cases.workflow", "portal.cases.deadlines", "portal.billing.allocation"} <= set(rule_modules())


def test_only_the_edge_reads_a_clock():
    reading = re.compile(r"(^|\.)(now|utcnow|today)$|^time\.(time|time_ns)$")
    found = [
        f"{name_of(path)}:{line} {name}()"
        for path in python_files("portal", "forms")
        for name, line in calls(path)
        if reading.search(name) and name.startswith(("dt.", "datetime.", "date.", "time."))
        if name_of(path) not in CLOCK_READERS
    ]
    assert found == []


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_files_and_functions_stay_small(path):
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= MAX_LINES, f"{length} lines"
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_no_module_is_named_after_nothing():
    named = [path for path in python_files() if FORBIDDEN_NAMES.search(path.stem)]
    named += [path for path in python_files() if FORBIDDEN_NAMES.search(path.parent.name)]
    assert [name_of(path) for path in named] == []


def test_outside_calls_do_not_happen_inside_use_cases():
    """Only the delivery step speaks to the world, through a port: nothing in `journey` imports a client."""
    clients = {"requests", "smtplib", "urllib.request", "http.client", "weasyprint"}
    found = {name_of(path): imported(path) & clients for path in python_files("portal/journey", "portal/cases")}
    assert {path: names for path, names in found.items() if names} == {}


def test_nothing_committed_tells_where_it_was_made():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    private = re.compile(rb"(?<![\w./-])/(?:work|farm|root|home/\w+)/[\w.-]+")
    found = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.suffix in {".ttf", ".png", ".pdf", ".woff2"} or not path.is_file():
            continue
        if hit := private.search(path.read_bytes()):
            found.append(f"{name}: {hit.group().decode()}")
    assert found == []


def test_the_absent_is_told_in_one_text():
    """Foreign and absent look the same (law 6): a text of its own needs a code of its own, after `may` was asked."""
    found = []
    for path in python_files("portal"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "NotFound":
                has_code = any(keyword.arg == "code" for keyword in node.keywords)
                found += [f"{name_of(path)}:{node.lineno}"] if node.args and not has_code else []
    assert found == []
