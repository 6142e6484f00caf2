"""The comparison with the experiment: what was measured, and that nothing is compared where means disagree."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks import plain_jax, sampling
from derivations.book_pages.reader import sampling_costs
from derivations.command.sweep import points
from numeric_check.draws.estimate import Estimate
from numeric_check.problem.setting import Setting

ROOT = Path(__file__).resolve().parents[2]
SMALL = Setting(n_t=6, n_v=1, n_r=4, m=2, p=12, sigma=0.5, nu=0.3, alpha_t=0.2, alpha_r=0.1, n_s=5)


def test_the_goals_were_reached() -> None:
    report = json.loads(sampling.RESULTS.read_text(encoding="utf-8"))
    assert [point["point"] for point in report["points"]] == list(sampling.POINTS)
    for point in report["points"]:
        goal = sampling.POINTS[point["point"]][2]
        assert point["met"]
        assert point["goal"] == goal
        assert goal is None or point["ratio"] >= goal


def test_the_network_is_bounded_by_products() -> None:
    step = json.loads(sampling.RESULTS.read_text(encoding="utf-8"))["network_step"]
    assert 0.4 < step["share"] < 1
    # 558 rows through the second layer, 192 through the first
    assert step["flops"] == 2 * (558 * 400**2 + 192 * 400 * 60)
    assert step["share"] == pytest.approx(step["flops"] / step["seconds_each"] / step["large_product"])


def test_the_page_shows_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = json.loads(sampling.RESULTS.read_text(encoding="utf-8"))
    report["points"][0] |= {"ratio": 2.34e10}
    report["points"][0]["jax"] = report["points"][0]["plain"] | {
        "price": report["points"][0]["plain"]["price"] * 3
    }
    report["points"][1].pop("jax", None)
    report["network_step"] = {"share": 0.63}
    changed = tmp_path / "sampling.json"
    changed.write_text(json.dumps(report), encoding="utf-8")
    monkeypatch.setattr(sampling_costs, "RESULTS", changed)
    text = sampling_costs.table().text
    assert "2.3·10<sup>10</sup>" in text
    assert "7.0·10<sup>10</sup>" in text
    assert "reaches 63 % of the speed" in text
    monkeypatch.setattr(sampling_costs, "RESULTS", tmp_path / "none.json")
    assert "No results are stored" in sampling_costs.table().text


# in a process of its own: JAX starts threads, beside which no other test may fork
BY_JAX = """
import json
from benchmarks import plain_jax
from tests.benchmarks.test_sampling import SMALL

found, seconds = plain_jax.timed(SMALL, 0.5)
print(json.dumps([found.mean, found.stderr, seconds]))
"""


@pytest.mark.slow
def test_the_experiment_in_jax_has_the_same_mean() -> None:
    ran = subprocess.run([sys.executable, "-c", BY_JAX], cwd=ROOT, check=True, capture_output=True, text=True)
    mean, stderr, seconds = json.loads(ran.stdout)
    exact = sampling.timed(SMALL, "conditional", rel_error=1e-3)[0]
    assert seconds > 0
    assert abs(mean - exact.mean) < 5 * (stderr**2 + exact.stderr**2) ** 0.5
    assert stderr < 0.1 * mean


def test_a_price_does_not_depend_on_the_length_of_the_run() -> None:
    assert sampling.price(Estimate(2.0, 0.2, 100), 3.0) == pytest.approx(
        sampling.price(Estimate(2.0, 0.1, 400), 12.0)
    )


def test_means_that_disagree_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sampling.POINTS, "small", (SMALL, 1e-3, 1.0))
    monkeypatch.setattr(sampling, "PLAIN_SECONDS", 0.3)
    monkeypatch.setattr(plain_jax, "installed", lambda: False)
    found = sampling.compare("small")
    assert found["met"]
    assert found["ratio"] > 10
    monkeypatch.setattr(
        sampling, "timed", lambda setting, protocol, **options: (Estimate(len(protocol), 1e-3, 9), 1.0)
    )
    with pytest.raises(RuntimeError, match="disagree"):
        sampling.compare("small")


def test_the_sweep_that_is_named_has_a_million_rows() -> None:
    ranges = [word.split("=") for word in sampling.MILLION.split() if word.count(":") == 2]
    counts = [len(points(name, text)) for name, text in ranges]
    assert Fraction(counts[0] * counts[1], sampling.CONFIGURATIONS) == 1
