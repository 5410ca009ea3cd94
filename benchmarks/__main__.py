"""`python -m benchmarks [name …]`: measure, print a table, write out/bench.json."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import fan_out, latency, split_payment, visits
from benchmarks.figures import Figure, format_table, write_json

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "fan-out": fan_out.measure,
    "latency": latency.measure,
    "split-payment": split_payment.measure,
    "visits": visits.measure,
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    figures = [figure for name in names or BENCHMARKS for figure in BENCHMARKS[name]()]
    print(format_table(figures))
    write_json(figures, Path("out") / "bench.json")


if __name__ == "__main__":
    main(sys.argv[1:])
