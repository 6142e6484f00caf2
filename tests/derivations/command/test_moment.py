"""`derive moment`: values written out and from files, options, one document, one line for bad input, status 2."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derivations.command import moment
from derivations.command.cli import main
from derivations.command.moment import InvalidValue, read_values, run

LAWS = ("gaussian", "rademacher", "uniform", "laplace", "student:9", "kurtosis:7/2", "cumulants:0,1,0,2")


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert main(["moment", *argv, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("covariance", ["identity", "general"])
def test_a_formula_for_every_law(name: str, covariance: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "W A W", "--law", name, "--cov", covariance)
    assert found["law"] == name
    assert found["latex"].startswith("n^{2}")
    assert len(found["terms"]) == (3 if name == "gaussian" else 4)
    assert found["checked"][0] == "n=3 p=2"
    assert "value" not in found


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["tr(W^2)", "n=7", "p=3"], "231"),
        (["tr(W^2)", "n=7", "p=3", "--law", "rademacher"], "189"),
        (["tr(W^2)", "n=7", "p=3", "--law", "kurtosis:7/2"], "483/2"),
        (["tr(W^2)", "n=7", "p=3", "--law", "cumulants:1/2,1/2"], "483/2"),
        (["tr(W A)", "n=2", "A=[[1, 1/2], [0, -3]]", "--law", "uniform"], "-4"),
        (
            ["W", "n=2", "--cov", "general", "Sigma=[[2,1],[1,3]]", "--law", "laplace"],
            [["4", "2"], ["2", "6"]],
        ),
        (["W^-1", "n=6", "p=2"], [["1/3", "0"], ["0", "1/3"]]),
        (["W1 W2", "n1=3", "n2=4", "p=1", "--law", "student:5"], [["12"]]),
        (["W^-1 A W^-1", "n=15/2", "A=[[1,1],[0,2]]"], [["4/33", "28/495"], ["8/495", "32/165"]]),
        (["tr(W^2)", "n=5.5", "p=3"], "627/4"),
        (["W", "n=2", "Sigma=[[1,.5],[0.5,2]]"], [[2.0, 1.0], [1.0, 4.0]]),
        (["W^2", "n=3", "Sigma=[[4,0],[0,1]]", "--law", "rademacher"], [["156", "0"], ["0", "21"]]),
    ],
)
def test_exact_values(argv: list[str], value: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, *argv)["value"] == value


def test_values_in_floats_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = np.array([[1.0, 0.5], [0.5, 2.0]])
    np.save(tmp_path / "sigma.npy", root @ root)
    found = document(
        capsys, "W^2", "n=5", f"Sigma=@{tmp_path}/sigma.npy", "--cov", "general", "--law", "rademacher"
    )
    sigma = root @ root
    expected = 30 * sigma @ sigma + 5 * np.trace(sigma) * sigma
    expected -= 10 * root @ np.diag(np.diag(sigma)) @ root
    assert np.allclose(found["value"], expected, rtol=1e-12)
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, 4]]))
    assert (
        document(capsys, "tr(W A)^2", "n=2", f"A=@{tmp_path}/a.npy", "--law", "rademacher")["value"] == "150"
    )


def test_the_text_without_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moment", "W A W", "--law", "rademacher"]) == 0
    assert capsys.readouterr().out.strip().endswith(r"- 2 n \, \operatorname{diag}(A)")
    assert main(["moment", "tr(W)", "n=2", "p=3"]) == 0
    assert capsys.readouterr() == ("6\n", "")
    assert main(["moment", "W^2 tr(W^2)", "n=7", "p=3"]) == 0
    assert capsys.readouterr().out == "25515 I\n"
    assert main(["moment", "W A W", "n=7", "p=2", "A=[[1,1/2],[1/2,3]]"]) == 0
    assert capsys.readouterr().out == " 84   28\n 28  196\n"
    assert main(["moment", "W A W"]) == 0
    assert capsys.readouterr().err.startswith("derive: W = X^T X, where X is n x p")


def test_more_seconds_raise_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moment", "tr(W^-1 A W^-2)", "--work", "0.002"]) == 2
    assert "give it more seconds" in capsys.readouterr().err
    assert document(capsys, "tr(W^-1 A W^-2)", "--work", "1")["conditions"] == ["n - p > 5"]
    assert main(["moment", "W A W B W", "--law", "laplace", "--work", "0.0001"]) == 2
    assert "give it more seconds" in capsys.readouterr().err


# -- bad input -------------------------------------------------------------------------------------------------

BAD = {
    "syntax": (["W^2 tr(W"], "character"),
    "the sign of the mean": (["W E W"], "leave E out"),
    "unknown law": (["W", "--law", "cauchy"], "unknown law"),
    "law without variance": (["W", "--law", "student:1"], "variance"),
    "impossible law": (["W", "--law", "cumulants:5,0"], "no random variable"),
    "beyond the order": (["W^3", "--law", "kurtosis:3"], "order 6 is needed"),
    "inverse under a law": (["W^-1", "--law", "uniform"], "law gaussian"),
    "degree under a law": (["W^12", "--law", "uniform"], "degree 12 is over the limit"),
    "a root of an exact Sigma": (
        ["W^2", "--law", "uniform", "--cov", "general", "n=2", "Sigma=[[2,1],[1,3]]"],
        "give Sigma as an array of floats",
    ),
    "inverse does not exist": (["W^-2", "n=4", "p=3"], "exists only for n - p > 3"),
    "unknown covariance": (["W", "--cov", "full"], "--cov"),
    "too much work": (["W^-1 A W^-1 B W^-1 C W^-1 D W^-1 A W^-1"], "give it more seconds (work)"),
    "no time": (["W", "--work", "0"], "give seconds, more than 0"),
    "too much time": (["W", "--work", "1e9"], "at most 3600"),
    "time that is none": (["W", "--work", "nan"], "give seconds, more than 0"),
    "no value": (["W", "n"], "NAME=VALUE"),
    "twice": (["W", "n=1", "n=2"], "twice"),
    "columns are counted": (["W", "p=1.5"], "p is 3/2: give a positive integer"),
    "no such matrix": (["W", "n=1.5", "p=3"], "give an integer, or more than 2"),
    "rows under a law": (["W", "n=1.5", "--law", "uniform"], "give a positive integer"),
    "a fraction below the condition": (
        ["W^-2", "n=5.5", "p=3"],
        "take n over 6 (a whole number: at least 7)",
    ),
    "an exponent": (["W", "n=1e3"], "give a number for n or p"),
    "missing": (["W A", "n=1", "B=[[1]]"], "not needed"),
    "ragged": (["W A", "n=1", "A=[[1,2],[3]]"], "different lengths"),
    "zero denominator": (["W A", "n=1", "A=[[1/0]]"], "element"),
    "no file": (["W A", "n=1", "A=@nowhere.npy"], "there is no file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_two(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv, reason = BAD[case]
    assert main(["moment", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert reason in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no .npy file"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': broken", "cannot be read"),
        (np.zeros((2, 3, 1)), "give a matrix"),
        (np.zeros(()), "give a matrix"),
        (np.array([["a"]]), "real numbers"),
        (np.array([[np.nan]]), "not finite"),
        (np.array([[1 + 1j]]), "real numbers"),
    ],
)
def test_files_that_are_refused(content: Any, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(InvalidValue, match=reason) as caught:
        read_values([f"A=@{path}"])
    assert "\n" not in str(caught.value)


def test_an_object_array_is_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidValue, match="cannot be read"):
        read_values([f"A=@{tmp_path / 'a.npy'}"])


def test_limits_of_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="30 digits"):
        read_values(["n=" + "1" * 31])
    monkeypatch.setattr(moment, "MAX_VALUE_TEXT", 5)
    with pytest.raises(InvalidValue, match="over the limit of 5 characters"):
        read_values(["A=[[123]]"])
    monkeypatch.setattr(moment, "MAX_FILE_BYTES", 5)
    np.save(tmp_path / "a.npy", np.eye(2))
    with pytest.raises(InvalidValue, match="over the limit of 5 bytes"):
        read_values([f"A=@{tmp_path / 'a.npy'}"])


PIECES = [
    "n",
    "p",
    "A",
    "B",
    "Sigma",
    "n1",
    "=",
    "[",
    "[[",
    "]",
    "]]",
    ",",
    "1",
    "2",
    "-3",
    "/",
    " ",
    "@",
    "0",
    "é",
]


def message(words: list[str], covariance: str | None, law: str) -> str | None:
    """Why these words are refused; None when they are not."""
    try:
        run("tr(W A)", words, covariance, law)
    except ValueError as error:
        return str(error)
    return None


def test_random_values_are_read_or_refused_in_one_line() -> None:
    rng = random.Random("values")
    refusals = []
    for _ in range(5_000):
        words = [
            "".join(rng.choice((*PIECES, rng.choice(string.printable))) for _ in range(rng.randint(0, 12)))
            for _ in range(rng.choice((0, 1, 1, 2)))
        ]
        if rng.random() < 0.3:
            words.append(
                f"{rng.choice('npAB')}={rng.choice(('3', '[[1]]', '[[1,2],[3,-1/2]]', '[[]]', '[1]'))}"
            )
        refusals.append(message(words, rng.choice((None, "general")), rng.choice(LAWS)))
    assert all(text is None or (text and "\n" not in text) for text in refusals)
    assert 100 < refusals.count(None) < 4_900


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.diag([1e308, 1e308]), "a trace is too large for a float: scale the matrices"),
        (np.diag([np.longdouble("1e4000"), np.longdouble(1)]), "not finite: give finite real numbers"),
    ],
    ids=["trace", "wide floats"],
)
def test_numbers_beyond_floats_are_one_line(
    matrix: np.ndarray, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "a.npy", matrix)
    assert main(["moment", "W A W", "n=3", "p=2", f"A=@{tmp_path / 'a.npy'}"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err
