"""The chapter on moments: values that are known, refusals, and a benchmark table that follows its data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from derivations.book_pages import html as h
from derivations.book_pages import moments
from derivations.book_pages.moments import (
    QUESTIONS,
    answered,
    ask,
    benchmark,
    moment_table,
    own_questions,
    product_latex,
    refused,
    seconds,
    two_routes,
)


def test_both_routes_agree_on_every_example() -> None:
    assert two_routes().text.count("<div>the same</div>") == 5


def test_a_disagreement_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    right = moments.expect_by_pairings
    monkeypatch.setattr(moments, "expect_by_pairings", lambda word: right(word) + right(word))
    text = two_routes().text
    assert "<div>the same</div>" not in text
    assert "2 n I" in text


@pytest.mark.parametrize(("degree", "rows"), [(1, 1), (2, 3), (4, 11), (6, 29)])
def test_the_table_has_a_row_for_every_partition(degree: int, rows: int) -> None:
    assert moment_table(degree).text.count("<tr>") == rows + degree


@pytest.mark.parametrize(
    ("partition", "shown"),
    [((1,), r"\mathrm{Tr}\,W"), ((1, 1, 2), r"\mathrm{Tr}\,W^{2}\,(\mathrm{Tr}\,W)^2")],
)
def test_products_of_traces(partition: tuple[int, ...], shown: str) -> None:
    assert product_latex(partition) == shown


def test_an_answer_shows_its_command_value_and_checks() -> None:
    # E W^2 tr W^2 = n (...) I at n = 7, p = 3: 25515 by the printed polynomial of Lemma 1
    n, p = 7, 3
    value = n * (
        n**3 * p
        + n * p**3
        + 2 * n**2 * p**2
        + 2 * n**2 * p
        + 2 * n * p**2
        + 8 * n**2
        + 8 * p**2
        + 21 * n * p
        + 20 * n
        + 20 * p
        + 20
    )
    text = ask("W^2 tr(W^2)", n=n, p=p).text
    assert f"{value}, 0, 0" in text
    assert "n=7 p=3" in text
    assert r"\(n=3,\ p=2\)</span>; " in text


def test_an_inverse_moment_states_its_condition_and_is_refused_outside_it() -> None:
    assert f"Every term exists when {h.inline('n - p > 3')} (for {h.inline('p > 1')})" in ask("W^-2").text
    assert h.inline("n_2 - p > 3") in ask("var(tr(W1 W2^-1))").text
    assert f"take {h.inline('n')} of at least 7" in refused("W^-2", n=5, p=3).text


def test_an_answer_where_a_refusal_was_promised_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="should have been refused"):
        refused("W", n=5, p=3)


@pytest.mark.parametrize(
    ("value", "shown"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.5e-5, "45 µs"), (3e-9, "3 ns")]
)
def test_times_have_a_fitting_unit(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_the_benchmark_follows_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {
        "tool": "this project",
        "median": 0.001,
        "fastest": 0.001,
        "slowest": 0.002,
        "runs": 3,
        "peak_mb": 64,
    }
    late = {"tool": "late", "left_out": "takes long: run with --full"}
    peer = {"tool": "peer", "median": 0.5, "fastest": 0.4, "slowest": 0.6, "runs": 3}
    data = {
        "command": "run",
        "machine": {"cpu": "a <fast> one", "cores": 2},
        "versions": {"x": "1"},
        "timing": "cold",
        "load_before": 0.25,
        "peak_mb": 152,
        "rows": [
            {
                "name": "r",
                "title": "moment",
                "methods": [ours, peer, late],
                "note": None,
                "goal": {"ratio": 200, "reached": 500.0, "met": True},
            },
        ],
    }
    path = tmp_path / "results.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setattr(moments, "RESULTS", path)
    text = benchmark().text
    assert "<div>500</div>" in text
    assert "200 times faster: met" in text
    assert "a &lt;fast&gt; one" in text
    assert "<div>64 MB</div>" in text
    assert "takes long: run with --full" in text
    assert "Load average before the run: 0.25. Peak memory of the engine: 152 MB." in text


def test_without_results_the_page_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "RESULTS", tmp_path / "none.json")
    assert "make bench" in benchmark().text


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_questions_agree_with_draws(question: moments.Question) -> None:
    answered(question)


def test_a_wrong_observation_stops_the_page() -> None:
    right = QUESTIONS[2]
    wrong = right._replace(observe=lambda x, other: right.observe(x, other) * 1.02)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "QUESTIONS", (wrong,))
        with pytest.raises(ArithmeticError, match="drawn"):
            answered(wrong)


def test_a_question_shows_command_answer_condition_and_draws() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "QUESTIONS", (QUESTIONS[2],))
        text = own_questions().text
    assert "--cov general" in text
    assert "S=W/(n-1)" in text
    assert "Exists for" in text
    assert h.inline("n - p > 1") in text
    assert "standard error" in text
