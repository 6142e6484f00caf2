"""The runs of Figure 5: stored row by row, continued, shipped, found again, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derivations.book_pages import figures
from derivations.command.cli import main
from derivations.figures import network_estimates, network_figure, network_point, network_runs
from derivations.figures.network_runs import Batch, Job, done, jobs, keep, perform, pieces, row
from numeric_check.draws.estimate import Estimate
from numeric_check.network.descent import Trained, trained_loss
from numeric_check.network.experiment import Experiment, Reading, Run, draw
from numeric_check.network.linearised import Linearised
from numeric_check.verdicts.verdict import SIGMAS

SMALL = Experiment(n_t=5, n_r=4, m=2, p=8, width=24, test_tasks=4, test_points=3, stop=1e-3)


@pytest.fixture
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tiny experiment of three rates and two runs a reading, shipped to a file of its own."""
    monkeypatch.setattr(network_runs, "PRINTED", SMALL)
    monkeypatch.setattr(network_runs, "AVERAGED", replace(SMALL, test_tasks=2))
    monkeypatch.setattr(network_runs, "RATES", (-0.0075, 0.0, 0.005))
    monkeypatch.setattr(network_runs, "WANTED", tuple((how, 0, 2) for how in Reading))
    monkeypatch.setattr(network_runs, "BATCH", 2)
    monkeypatch.setattr(network_runs, "BATCHES", 2)
    monkeypatch.setattr(network_runs, "PRINTED_WIDTH", 24)
    monkeypatch.setattr(network_runs, "LADDER", (20,))
    monkeypatch.setattr(network_runs, "LADDER_RUNS", 2)
    monkeypatch.setattr(network_runs, "SHIPPED", tmp_path / "runs.json")
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)
    network_runs._shipped_rows.cache_clear()
    yield
    network_runs._shipped_rows.cache_clear()


@pytest.mark.usefixtures("_small")
def test_interrupted_work_continues_and_nothing_is_done_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained: list[float] = []
    limit, train = 7, network_runs.train

    def counting(experiment: Experiment, run: Run, rate: float) -> Trained:
        if len(trained) == limit:
            raise KeyboardInterrupt
        trained.append(rate)
        return train(experiment, run, rate)

    monkeypatch.setattr(network_runs, "train", counting)
    with pytest.raises(KeyboardInterrupt):
        network_runs.recompute()
    # two runs of the first reading are whole, and shipped
    groups = network_runs.provenance()["trained"]
    counts = {(group["reading"], group["width"], group["rate"]): len(group["rows"]) for group in groups}
    assert counts["task", 24, 0.0] == 2
    assert counts["run", 24, 0.0] == counts["task", 20, 0.0] == 0
    limit = -1
    heard: list[tuple[int, int]] = []
    network_runs.recompute(lambda record, k, total: heard.append((k, total)))
    assert len(trained) == 3 * 2 * 3 + 2
    rows = sum(len(pieces(job)) for job in jobs())
    assert heard[-1] == (rows, rows)
    document = network_runs.provenance()
    assert document.keys() >= {"command", "seed", "versions", "date", "seconds", "sources"}
    assert {len(group["rows"]) for group in document["trained"]} == {2}
    assert document["linearised"]["task"]["runs"] == 4
    # where the store is lost, the shipped rows count as long as the sources are those that made them
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "another"))
    assert all(done(job) for job in jobs() if isinstance(job, Job))
    assert not any(done(job) for job in jobs() if isinstance(job, Batch))
    # nor do the first of the linearised runs made anew take the place of all of them
    keep(Batch(0), perform(Batch(0)))
    network_runs.ship()
    assert network_runs.provenance()["linearised"] == document["linearised"]
    monkeypatch.setenv("DERIVE_STORE", str(tmp_path / "a third"))
    network_runs.SHIPPED.write_text(json.dumps(document | {"sources": "others"}), encoding="utf-8")
    network_runs._shipped_rows.cache_clear()
    assert not any(done(job) for job in jobs())
    # work that begins anew and is interrupted takes nothing away of what is shipped
    before, limit = network_runs.SHIPPED.read_bytes(), len(trained) + 7
    with pytest.raises(KeyboardInterrupt):
        network_runs.recompute()
    assert network_runs.SHIPPED.read_bytes() == before
    limit = -1
    network_runs.recompute()
    assert network_runs.provenance()["sources"] == document["sources"]


@pytest.mark.usefixtures("_small")
def test_a_row_is_the_run_at_its_rate() -> None:
    job = Job(Reading.RUN, 20, 1, (0.0, 0.01))
    assert not done(job)
    for piece in pieces(job):
        keep(piece, perform(piece))
    assert done(job)
    found = row(job, 0.01)
    assert found is not None
    assert found["meta_loss"] < SMALL.stop
    assert found["trained"] == pytest.approx(found["linearised"], rel=0.5)
    assert found["trained"] != found["linearised"]
    assert row(job, 0.0) != found


@pytest.mark.usefixtures("_small")
def test_rows_are_kept_by_who_asked_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of a cluster has a store of its own: here it has an empty one each time."""
    compute, elsewhere = network_runs.perform, tmp_path / "worker"

    def far_away(piece: Batch | Job) -> Mapping[str, Any]:
        with monkeypatch.context() as there:
            there.setenv("DERIVE_STORE", str(elsewhere))
            return compute(piece)

    monkeypatch.setattr(network_runs, "perform", far_away)
    network_runs.recompute()
    assert not elsewhere.exists()
    assert all(done(job) for job in jobs())
    assert {len(group["rows"]) for group in network_runs.provenance()["trained"]} == {2}


# -- what is shipped ----------------------------------------------------------------------------------------


def test_a_shipped_row_is_found_again() -> None:
    """One row, trained anew: a few seconds."""
    (group,) = (
        g
        for g in network_runs.provenance()["trained"]
        if (g["reading"], g["width"], g["rate"]) == ("task", 100, 0.0)
    )
    shipped = dict(zip(network_runs.COLUMNS, group["rows"][1], strict=True))
    experiment = replace(network_runs.PRINTED, width=100)
    run = draw(experiment, Reading.TASK, network_runs.SEED, 1)
    found = network_runs.train(experiment, run, 0.0)
    assert trained_loss(experiment, run, found.weights) == pytest.approx(shipped["trained"], rel=1e-6)
    assert Linearised(experiment, run).loss(0.0) == pytest.approx(shipped["linearised"], rel=1e-6)


def test_linearised_means_are_found_again() -> None:
    """Twenty of the shipped runs, at every rate and under every reading."""
    e = network_runs.AVERAGED
    found = [
        Linearised(e, draw(e, Reading.TASK, network_runs.SEED, k)).mean_losses(network_runs.RATES)
        for k in range(20)
    ]
    for how in Reading:
        losses = np.array([run[how] for run in found])
        shipped = network_runs.provenance()["linearised"][how]
        error = losses.std(axis=0, ddof=1) / np.sqrt(len(losses))
        assert np.all(np.abs(losses.mean(axis=0) - shipped["loss"]) < 6 * error)
        # the shipped error is that of the shipped number of runs
        scaled = np.array(shipped["loss_stderr"]) * np.sqrt(shipped["runs"] / len(losses))
        assert np.all((error / scaled > 0.3) & (error / scaled < 3))


@pytest.mark.parametrize(("how", "sign"), [(Reading.TASK, 1), (Reading.RUN, -1), (Reading.POINT, -1)])
def test_the_sign_of_the_reported_rate_depends_on_the_reading(how: Reading, sign: int) -> None:
    found = {mark.rate: mark for mark in network_estimates.marks(how)}
    at = found[network_estimates.REPORTED]
    assert sign * at.linearised.mean > 50 * at.linearised.stderr
    best = min(found.values(), key=lambda mark: mark.linearised.mean)
    assert np.sign(best.rate) == sign
    # trained runs need not decide it, and more of them can leave open what fewer decided: they must not say the opposite
    falls = network_estimates.between(how, network_runs.RATES[0], network_estimates.REPORTED)
    for estimate in (falls, at.trained, at.two_level):
        assert sign * estimate.mean > 0 or abs(estimate.mean) <= SIGMAS * estimate.stderr
    for mark in found.values():
        if mark.two_level.mean < -SIGMAS * mark.two_level.stderr:
            assert np.sign(mark.rate) == sign
    # heavy tails carry the means: of the runs by themselves most say the same
    share = network_estimates.lowered(how) / at.two_level.draws
    assert share < 0.5 if how == Reading.TASK else share > 0.5


def test_the_page_says_what_trained_runs_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """With runs as they are, and with runs in which the loss falls by one on the way to each rate below zero."""
    counts = [network_estimates.marks(how)[0].two_level.draws for how in Reading]
    text = figures.network_trained().text
    assert all(f"({letter}) {count} runs" in text for letter, count in zip("abc", counts, strict=True))
    falling = np.array([[1.0 + rate + 1e-4 * run for rate in network_runs.RATES] for run in range(12)])
    falling[::2, :] *= 1.001
    monkeypatch.setattr(
        network_estimates, "runs", lambda how: {"trained": falling, "linearised": falling - falling[:, [6]]}
    )
    text = figures.network_trained().text
    assert "From −0.0075 on to −0.02 it falls on" in text
    assert "it rises" not in text
    monkeypatch.setattr(
        network_estimates, "runs", lambda how: {"trained": -falling, "linearised": 0 * falling}
    )
    assert "From −0.0075 on to −0.02 it rises" in figures.network_trained().text


@pytest.mark.parametrize(("mean", "said"), [(-5.1, "decided (5.1"), (4.9, "not decided (4.9")])
def test_a_sign_is_decided_by_five_errors(mean: float, said: str) -> None:
    assert figures._decided(Estimate(mean, 1.0, 9)).startswith(said)


@pytest.mark.parametrize("how", Reading)
def test_two_levels_replace_the_linearised_mean_of_few_runs_by_that_of_many(how: Reading) -> None:
    few = network_estimates.runs(how)
    zero = network_runs.RATES.index(0.0)
    trained, linearised = (few[name] - few[name][:, [zero]] for name in network_point.LOSSES)
    for k, mark in enumerate(network_estimates.marks(how)):
        gap = mark.linearised.mean - float(linearised[:, k].mean())
        assert mark.two_level.mean == pytest.approx(mark.trained.mean + gap, abs=1e-12)
        # which pays as a run whose loss rises much in one rises much in the other
        if k != zero:
            ranks = [values[:, k].argsort().argsort() for values in (trained, linearised)]
            assert np.corrcoef(ranks)[0, 1] > 0


@pytest.mark.parametrize("how", Reading)
def test_errors_are_the_spread_of_runs_drawn_again(how: Reading) -> None:
    few, rng = network_estimates.runs(how), np.random.default_rng(5)
    at, zero = network_runs.RATES.index(network_estimates.REPORTED), network_runs.RATES.index(0.0)
    trained, linearised = (few[name][:, at] - few[name][:, zero] for name in network_point.LOSSES)
    chosen = rng.integers(len(trained), size=(20_000, len(trained)))
    mark = network_estimates.marks(how)[at]
    assert trained[chosen].mean(axis=1).std() == pytest.approx(mark.trained.stderr, rel=0.05)
    many = mark.linearised.mean + mark.linearised.stderr * rng.standard_normal(20_000)
    both = (trained - linearised)[chosen].mean(axis=1) + many
    assert both.std() == pytest.approx(mark.two_level.stderr, rel=0.05)
    # where neither error is small beside the other
    assert network_estimates._plus(Estimate(1.0, 3.0, 5), Estimate(2.0, 4.0, 6)) == Estimate(3.0, 5.0, 6)
    # a figure of ten runs scatters as so few of them do
    ten = network_estimates.ten_runs(how)
    assert ten is not None
    few_of_them = mark.trained.stderr * np.sqrt(len(trained) / network_estimates.REPORTED_RUNS)
    assert ten.spread == pytest.approx(few_of_them, rel=0.1)


def test_the_figure_is_drawn_from_the_shipped_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name in ("one.svg", "two.svg"):
        out = tmp_path / name
        assert main(["figure", "5", "--out", str(out), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        files.append(out.read_bytes())
    assert files[0] == files[1]
    assert {"command", "seed", "versions", "date", "seconds"} <= document["provenance"].keys()
    assert "trained" not in document["provenance"]
    assert [series["panel"] for series in document["series"]] == ["a", "a", "b", "b", "c", "c"]
    assert main(["figure", "5", "--out", str(tmp_path / "x.svg"), "--assume", "inner_steps=2"]) == 2
    assert "leave out --assume" in capsys.readouterr().err
    for text in (network_figure.caption(), network_figure.alt_text()):
        assert "0.005" in text or "width 400" in text


# -- one point made anew ------------------------------------------------------------------------------------


def test_a_point_is_made_anew_with_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    """One of its runs, trained: a few seconds."""
    assert main(["figure", "5", "--reading", "point", "--rate", "0", "--runs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["reading"], found["rates"], len(found["runs"])) == ("point", [0.0], 1)
    assert 0 <= found["apart"] < 1e-6
    assert found["alike"]


def test_a_point_that_comes_out_otherwise_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shifted(how: Reading, rates: tuple[float, ...], number: int) -> dict[str, object]:
        at = [network_runs.RATES.index(rate) for rate in rates]
        losses = network_estimates.runs(how)
        return {"run": number} | {
            name: list(1.00001 * losses[name][number, at]) for name in network_point.LOSSES
        }

    monkeypatch.setattr(network_point, "_run", shifted)
    monkeypatch.setattr("derivations.support.workers.cores", lambda: 1)
    assert main(["figure", "5", "--reading", "run", "--rate", "-0.0075"]) == 1
    said = capsys.readouterr().out
    # the difference is that of the shipped runs, but for the shift
    (mark,) = (m for m in network_estimates.marks(Reading.RUN) if m.rate == -0.0075)
    assert f"over {mark.trained.draws} runs" in said
    assert "at most 1.0e-05 of a loss from what is shipped" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["5", "--reading", "week", "--rate", "0"],
            "unknown reading 'week' of the bias: give one of task, run, point",
        ),
        (
            ["5", "--reading", "run", "--rate", "0.3"],
            "no networks of figure 5 are trained at rate 0.3: give one of -0.02,",
        ),
        (["5", "--reading", "run", "--rate", "0", "--runs", "999"], "--runs is 999: of reading run"),
        (["5", "--reading", "run"], "a point of figure 5 has a reading and a rate"),
        (["5", "--reading", "run", "--rate", "0", "--recompute"], "is trained and not drawn"),
        (["2", "--rate", "0"], "--reading, --rate and --runs are of figure 5"),
    ],
)
def test_points_that_are_none(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figure", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
