"""The grid benchmark: its kernels are the formulas, and what differs is not timed. Kernels run uncompiled here."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def grid(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    numba = ModuleType("numba")
    numba.__dict__.update(njit=lambda kernel: kernel, __version__="none: kernels run uncompiled")
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.syspath_prepend(str(ROOT))
    sys.modules.pop("benchmarks.grid", None)
    yield importlib.import_module("benchmarks.grid")
    sys.modules.pop("benchmarks.grid", None)


@pytest.mark.parametrize("name", ["eq5", "eq9"])
def test_all_methods_agree(grid: ModuleType, name: str) -> None:
    record = grid.compare(name, 70, 1)
    assert list(record["ms"]) == [grid.OURS, "plain", "nested", "hoisted"]
    assert record["ms"][grid.OURS]["ours_over_this"] == 1.0


def test_a_wrong_kernel_is_not_timed(grid: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    point, kernels = grid.KERNELS["eq5"]

    def wrong(*arguments: Any, **named: Any) -> Any:
        return kernels["hoisted"](*arguments, **named) * (1 + 1e-11)

    monkeypatch.setitem(grid.KERNELS, "eq5", (point, {**kernels, "hoisted": wrong}))
    with pytest.raises(RuntimeError, match="hoisted gives another result; nothing was timed"):
        grid.compare("eq5", 10, 1)


def test_the_table_is_stored(grid: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "grid.json"
    assert grid.main(["--size", "6", "--repeats", "1", "--out", str(out)]) == 0
    assert [record["name"] for record in json.loads(out.read_text())["records"]] == ["eq5", "eq9"]
    assert "eq9 on 6 x 6" in capsys.readouterr().out
