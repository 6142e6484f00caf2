"""Parameter values: what is read, and the one line that each wrong value gets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from derivations.formulas.by_name import evaluate_named
from derivations.formulas.parameters import (
    NAMES,
    InvalidParameter,
    Range,
    checked,
    checked_number,
    ordered,
    parse_values,
    range_of,
    require_possible,
)
from derivations.language.assumptions import read
from numeric_check.estimators.target_loss import fourth_moment
from numeric_check.problem.setting import Setting


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30", Fraction(30)),
        ("-0.25", Fraction(-1, 4)),
        ("0.1", Fraction(1, 10)),
        ("1e9", Fraction(10**9)),
        (".5", Fraction(1, 2)),
        ("2.", Fraction(2)),
        ("+1/3", Fraction(1, 3)),
        ("-3E-2", Fraction(-3, 100)),
    ],
)
def test_numbers_are_exact(text: str, value: Fraction) -> None:
    assert parse_values([f"alpha_t={text}"]) == {"alpha_t": value}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("n_t", "parameters are NAME=VALUE words, as in n_t=30, not 'n_t'"),
        ("=3", "parameters are NAME=VALUE words"),
        ("alpha_t=", "alpha_t= is no number"),
        ("alpha_t=nan", "alpha_t must be a finite number, not nan"),
        ("alpha_t=-inf", "alpha_t must be a finite number, not -inf"),
        ("alpha_t=Infinity", "must be a finite number"),
        ("alpha_t=1/0", "divides by zero"),
        ("alpha_t=1e99999", "is no number"),
        ("alpha_t=1_000", "is no number: write an integer, a decimal or a fraction like 1/3"),
        ("alpha_t=0x10", "is no number"),
        ("alpha_t=1+1", "is no number"),
        ("alpha_t=__import__('os')", "is no number"),
        ("alpha_t=٣", "is no number"),
        ("alpha_t=" + "9" * 1000, "99999...? is no number"),
        ("alpha_t=@rate.npy", "alpha_t is a number, not a file"),
        ("Sigma=3", "Sigma is a matrix: give a file, Sigma=@file.npy"),
        ("Sigma=@absent.npy", "cannot read absent.npy for Sigma: No such file"),
    ],
)
def test_malformed_word_is_refused(word: str, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said) as caught:
        parse_values([word])
    assert "\n" not in str(caught.value)


def test_repeated_parameter_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="'n_t' is given twice: keep one"):
        parse_values(["n_t=3", "p=4", "n_t=3"])


def saved(path: Path, array: object) -> str:
    np.save(path, array)
    return f"Sigma=@{path}"


def test_matrix_is_loaded(tmp_path: Path) -> None:
    found = parse_values([saved(tmp_path / "s.npy", np.diag([2, 1]))])["Sigma"]
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float64
    assert (found == np.diag([2.0, 1.0])).all()


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones((2, 3)), r"has shape \(2, 3\): give a square p x p matrix"),
        (np.ones(4), r"has shape \(4,\)"),
        (np.array([[1.0, 2.0], [0.0, 1.0]]), "not symmetric"),
        (np.array([[1.0, 0.0], [0.0, -1.0]]), "negative eigenvalue"),
        (np.eye(2) * 1j, "complex"),
        (np.array([[np.nan, 0.0], [0.0, 1.0]]), "infinite or undefined"),
        (np.array([[np.inf, 0.0], [0.0, 1.0]]), "infinite or undefined"),
        (np.array([["1", "0"], ["0", "1"]]), "does not hold numbers"),
        (np.eye(3) * 1e308, r"Sigma has the entry 1e\+308, beyond 1e\+100"),
        (np.zeros((0, 0)), r"Sigma in \S+ is empty: give a p x p matrix with p of at least 1"),
    ],
)
def test_matrix_that_is_no_covariance_is_refused(array: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match=said) as caught:
        parse_values([saved(tmp_path / "s.npy", array)])
    assert "\n" not in str(caught.value)


class _Tripwire:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("tripped"),)


def test_pickled_objects_are_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    word = saved(tmp_path / "s.npy", np.array([[_Tripwire()]], dtype=object))
    with pytest.raises(InvalidParameter, match=r"is no .npy file of numbers"):
        parse_values([word])
    assert not (tmp_path / "tripped").exists()


@pytest.mark.parametrize("content", [b"", b"no array at all", b"\x93NUMPY\x01\x00"])
def test_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.npy"
    path.write_bytes(content)
    with pytest.raises(InvalidParameter, match=r"is no .npy file of numbers: save Sigma with numpy.save"):
        parse_values([f"Sigma=@{path}"])


def test_archive_of_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", np.eye(2))
    with pytest.raises(InvalidParameter, match="several arrays"):
        parse_values([f"Sigma=@{tmp_path / 's.npz'}"])


def fourth_moments(size: int, kurtosis: float) -> tuple[np.ndarray, np.ndarray]:
    """Sigma and F of inputs Sigma^(1/2) u with independent entries u of this kurtosis."""
    draws = np.random.default_rng(2).standard_normal((size, size + 1))
    setting = Setting(
        1, 1, 1, 1, size, 1.0, 1.0, 0.0, 0.0, inputs=f"kurtosis:{kurtosis}", Sigma=draws @ draws.T
    )
    assert setting.Sigma is not None
    return setting.Sigma, fourth_moment(setting)


@pytest.mark.parametrize("unit", [1.0, 1e-90, 1e30])
@pytest.mark.parametrize("kurtosis", [1.0, 3.0, 9.0])
def test_fourth_moments_of_inputs_are_possible(kurtosis: float, unit: float) -> None:
    sigma, fourth = fourth_moments(4, kurtosis)
    require_possible(fourth * unit**3, sigma * unit)


def test_the_least_fourth_moment_is_that_of_one_direction() -> None:
    # x = +-v: Sigma = v v^T and F = |v|^4 v v^T = Sigma^3, equal up to rounding
    sigma = np.outer([1.0, 0.1, -3.0], [1.0, 0.1, -3.0])
    require_possible(sigma @ sigma @ sigma, sigma)
    require_possible(np.zeros((3, 3)), np.zeros((3, 3)))
    with pytest.raises(InvalidParameter, match=r"F - Sigma\^3"):
        require_possible((1 - 1e-6) * sigma @ sigma @ sigma, sigma)


@pytest.mark.parametrize("unit", [1.0, 1e-90, 1e30])
def test_an_impossible_fourth_moment_is_refused(unit: float) -> None:
    sigma, _ = fourth_moments(4, 3.0)
    for fourth in (np.zeros((4, 4)), 0.9 * sigma @ sigma @ sigma):
        with pytest.raises(
            InvalidParameter, match="by Cauchy-Schwarz no inputs of covariance Sigma have this F"
        ) as caught:
            require_possible(fourth * unit**3, sigma * unit)
        assert "\n" not in str(caught.value)


def test_an_impossible_fourth_moment_gives_no_loss(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.eye(4))
    np.save(tmp_path / "zero.npy", np.zeros((4, 4)))
    words = ["n_t=10", "n_v=1", "n_r=1", "m=2", "sigma=0", "alpha_t=0", "alpha_r=1"]
    words += [f"{name}=@{tmp_path / 'one.npy'}" for name in ("Sigma", "Sigma_w")]
    assert evaluate_named("eq14", parse_values([*words, f"F=@{tmp_path / 'one.npy'}"]))["value"] == 0
    with pytest.raises(InvalidParameter, match="F - Sigma"):
        evaluate_named("eq14", parse_values([*words, f"F=@{tmp_path / 'zero.npy'}"]))


@pytest.mark.parametrize(
    ("assumed", "reason"),
    [
        ("inner_steps=2", "the formula of eq14 has no F here"),
        ("adaptation_steps=2", "the formula of eq14 has no F here"),
        ("inputs=rademacher", "F and inputs=rademacher both set the fourth moment"),
    ],
)
def test_a_fourth_moment_that_would_not_be_used_is_refused(assumed: str, reason: str, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.eye(4))
    words = ["n_t=10", "n_v=1", "n_r=1", "m=2", "sigma=0", "alpha_t=0", "alpha_r=1"]
    words += [f"{name}=@{tmp_path / 'one.npy'}" for name in ("Sigma", "Sigma_w", "F")]
    with pytest.raises(InvalidParameter, match=reason):
        evaluate_named("eq14", parse_values(words), read((assumed,)))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("n_t", 2.5, "n_t must be a positive integer, not 2.5"),
        ("m", 0, "m must be a positive integer, not 0"),
        ("p", Fraction(-4), "p must be a positive integer, not -4"),
        ("p", Fraction(10**40, 3), "p must be a positive integer, not 3.3333333"),
        ("p", float("inf"), "p must be a finite number, not inf"),
        ("alpha_r", float("nan"), "alpha_r must be a finite number, not nan"),
        ("sigma", -1, "sigma must not be negative"),
        ("nu", -0.5, "nu must not be negative"),
        ("dist0_sq", Fraction(-1, 2), "dist0_sq must not be negative"),
        ("n_t", True, "n_t must be a number, not bool"),
        ("n_t", "3", "n_t must be a number, not str"),
        ("n_t", None, "n_t must be a number, not NoneType"),
        ("n_t", 1j, "n_t must be a number, not complex"),
        ("n_t", np.ones(3), "n_t must be a number, not ndarray"),
    ],
)
def test_value_without_meaning_is_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        checked_number(name, value)


@pytest.mark.parametrize("value", [3, 3.0, Fraction(3), np.int64(3), np.float64(3.0), np.float32(3.0)])
def test_every_kind_of_number_is_taken_exactly(value: object) -> None:
    assert checked_number("n_t", value) == 3


def test_needed_values_are_picked() -> None:
    given = {"n_t": 3, "p": 2.0, "alpha_r": 0.5}
    assert checked("f", given, {"p", "n_t", "dist0_sq"}, fixed={}) == {"n_t": 3, "p": 2, "dist0_sq": 0}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_t": 3}, "f needs p, sigma_v: add p=VALUE sigma_v=VALUE"),
        ({"n_t": 3, "p": 3, "sigma_v": 1, "alphat": 1}, "unknown parameter 'alphat'; did you mean 'alpha_t'"),
        ({"n_t": 3, "p": 3, "sigma_v": 1, "alpha_r": float("inf")}, "alpha_r must be a finite number"),
    ],
)
def test_missing_and_unknown_names_are_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        checked("f", given, {"n_t", "p", "sigma_v"}, fixed={})


def test_value_set_by_the_assumptions_is_not_given_again() -> None:
    fixed = {"sigma_v": Fraction(2)}
    assert checked("f", {"p": 1}, {"p", "sigma_v"}, fixed=fixed)["sigma_v"] == 2
    with pytest.raises(InvalidParameter, match="sigma_v is set by the assumptions: leave it out"):
        checked("f", {"p": 1, "sigma_v": 3}, {"p", "sigma_v"}, fixed=fixed)


def test_order_is_the_models() -> None:
    assert ordered({"alpha_t", "tr_F", "n_t", "p", "m"}) == ["n_t", "m", "p", "alpha_t", "tr_F"]


def test_an_empty_matrix_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "empty.npy", np.zeros((0, 0)))
    with pytest.raises(InvalidParameter, match=r"Sigma in .* is empty: give"):
        parse_values([f"Sigma=@{tmp_path / 'empty.npy'}"])


LET_PASS = {
    Range.SIZE: ((1, 7), (0, -1, Fraction(3, 2))),
    Range.NOT_NEGATIVE: ((0, 0.5), (-1, -0.1)),
    Range.NUMBER: ((-2, 0, 0.5), ()),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_range_that_is_shown_is_the_one_that_is_held_to(name: str) -> None:
    allowed, refused = LET_PASS[range_of(name)]
    assert [checked_number(name, value) for value in allowed] == [Fraction(value) for value in allowed]
    for value in refused:
        with pytest.raises(InvalidParameter, match=name):
            checked_number(name, value)
