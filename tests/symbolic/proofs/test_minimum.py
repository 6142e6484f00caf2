"""Global minima: right on functions whose minimum is known; certificates that a wrong answer does not pass."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq, fmpq_poly

from symbolic.proofs import minimum as module
from symbolic.proofs.minimum import Minimum, NoMinimum, Undecided, minimum
from symbolic.proofs.minimum_check import recheck

BIG = 10**9
# numerator and denominator from the constant term up, the minimum's place and value
KNOWN: dict[str, tuple[list[int], list[int], float, float]] = {
    "parabola": ([5, -6, 3], [1], 1.0, 2.0),
    "witch": ([0, -2], [1, 0, 1], 1.0, -1.0),
    "left of its pole-free quotient": ([1, 0, 1], [1, -1, 1], -1.0, 2 / 3),
    "double well, tilted": ([1, 1, -2, 0, 1], [1], -1.1071598716887686, -1.0561728852444640),
    "common factor": ([2, 0, 3, 0, 1], [2, 0, 1], 0.0, 1.0),
    "flat bottom": ([0, 0, 0, 0, 1], [1], 0.0, 0.0),
    "far away": ([BIG**2, -2 * BIG, 1], [1], float(BIG), 0.0),
    "nearly equal wells": ([0, 1, -2 * BIG**2, 0, BIG**2], [1], -1.00000000000000000025, -1e18),
}


def find(numerator: list[int], denominator: list[int]) -> Minimum:
    return minimum(fmpq_poly(numerator), fmpq_poly(denominator))


@pytest.mark.parametrize("name", KNOWN)
def test_known_minimum_with_a_certificate_that_holds(name: str) -> None:
    numerator, denominator, place, value = KNOWN[name]
    found = find(numerator, denominator)
    assert found.at == pytest.approx(place, rel=1e-15, abs=1e-300)
    assert found.value == pytest.approx(value, rel=1e-15, abs=1e-300)
    assert recheck(json.loads(json.dumps(found.certificate)))


def test_quadratic_derivative_is_in_closed_form() -> None:
    for numerator, denominator, _, _ in (KNOWN["witch"], KNOWN["left of its pole-free quotient"]):
        found = find(numerator, denominator)
        assert found.certificate["kind"] == "closed form"
        c, b, a = (int(x) for x in found.certificate["derivative"])
        before = -1 if "- sqrt" in found.certificate["closed_form"] else 1
        assert found.at == pytest.approx(
            (-b + before * (b * b - 4 * a * c) ** 0.5) / (2 * a), rel=1e-15, abs=0
        )


def test_rational_coefficients_are_exact() -> None:
    found = minimum(fmpq_poly([fmpq(1, 3), fmpq(-2, 7), 1]), fmpq_poly([fmpq(1, 2)]))
    assert found.at == float(Fraction(1, 7))
    assert found.value == float(2 * (Fraction(1, 3) - Fraction(1, 49)))


def test_constant_function_is_flat() -> None:
    found = find([4, 2, 6], [2, 1, 3])
    assert (found.at, found.value, found.certificate["kind"]) == (None, 2.0, "flat")
    assert recheck(found.certificate)


def test_infimum_at_infinity_is_not_attained() -> None:
    found = find([1], [1, 0, 1])
    assert (found.at, found.value, found.certificate["kind"]) == (None, 0.0, "not attained")
    assert recheck(found.certificate)


@pytest.mark.parametrize(
    ("numerator", "denominator", "said"),
    [
        ([0, 1], [1], "without bound"),
        ([0, 0, -1], [1], "without bound"),
        ([1], [-1, 0, 1], "pole"),
        ([1, 0, 0, 1], [1, 0, 1], "without bound"),
    ],
)
def test_no_minimum_is_said(numerator: list[int], denominator: list[int], said: str) -> None:
    with pytest.raises(NoMinimum, match=said):
        find(numerator, denominator)


# numerator and denominator of functions with poles: those that rise on both sides of each, and those that fall
RISING: dict[str, tuple[list[int], list[int], float | None, float]] = {
    "even": ([1, 0, 1], [1, -2, 1], -1.0, 0.5),
    "of order four": ([2, -4, 6, -4, 1], [1, -4, 6, -4, 1], None, 1.0),
    "two": ([1, 0, 0, 0, 2], [1, 0, -2, 0, 1], 0.0, 1.0),
    # the derivative vanishes where 8 x^3 + 3 x^2 + 2 does
    "at an irrational rate": ([0, 1, 0, 0, 1], [4, 0, -4, 0, 1], -0.7828879114264197, -0.21165440147027104),
    "beside a parabola": ([1, 0, 0, 1, 1], [0, 0, 1], -1.1527765807183081, 0.9286228190277255),
}
FALLING: dict[str, tuple[list[int], list[int]]] = {
    "odd": ([1], [-1, 1]),
    "of order three": ([1], [-1, 3, -3, 1]),
    "even": ([-1], [1, -2, 1]),
    "one of two": ([1, 2], [1, 0, -2, 0, 1]),
    "at an irrational rate": ([0, -1], [4, 0, -4, 0, 1]),
}


@pytest.mark.parametrize("name", RISING)
def test_pole_at_which_the_function_rises_is_no_obstacle(name: str) -> None:
    numerator, denominator, place, value = RISING[name]
    found = find(numerator, denominator)
    assert found.at == (None if place is None else pytest.approx(place, rel=1e-15, abs=0))
    assert found.value == pytest.approx(value, rel=1e-15, abs=0)
    assert found.certificate["poles"]
    assert recheck(json.loads(json.dumps(found.certificate)))


@pytest.mark.parametrize("name", FALLING)
def test_pole_at_which_the_function_falls_leaves_no_minimum(name: str) -> None:
    with pytest.raises(NoMinimum, match="falls without bound near its pole at the rate"):
        find(*FALLING[name])


def test_numbers_of_very_different_sizes_are_decided_or_refused() -> None:
    found = find([0, 10**300, 0, 0, 10**1000], [1, 0, 10**900])
    assert recheck(found.certificate)
    with pytest.raises(Undecided, match="thousands of digits"):
        find([0, 1, 1 << 15_000], [1])


# guards: wrong certificates are rejected


def certificate() -> dict[str, Any]:
    return copy.deepcopy(find(*KNOWN["double well, tilted"][:2]).certificate)


def test_certificate_of_another_stationary_point_fails() -> None:
    for chosen in (1, 2):
        assert not recheck({**certificate(), "minimum": chosen})


def test_certificate_with_a_root_left_out_fails() -> None:
    wrong = certificate()
    wrong["stationary"] = wrong["stationary"][1:]
    wrong["minimum"] = 1
    assert not recheck(wrong)


def test_certificate_with_a_moved_interval_fails() -> None:
    wrong = certificate()
    wrong["stationary"][0]["at"] = ["-1.2", "-1.1999"]
    assert not recheck(wrong)


def test_certificate_of_another_derivative_fails() -> None:
    wrong = certificate()
    wrong["derivative"][0] = str(int(wrong["derivative"][0]) + 1)
    assert not recheck(wrong)
    negated = certificate()
    negated["derivative"] = [str(-int(c)) for c in negated["derivative"]]
    assert not recheck(negated)


def test_certificate_with_a_pole_fails() -> None:
    wrong = find(*KNOWN["witch"][:2]).certificate
    assert not recheck({**wrong, "denominator": ["-1", "0", "1"]})


@pytest.mark.parametrize("name", FALLING)
def test_certificate_with_a_pole_at_which_the_function_falls_fails(name: str) -> None:
    rising = copy.deepcopy(find(*RISING["even"][:2]).certificate)
    numerator, denominator = ([str(c) for c in part] for part in FALLING[name])
    assert not recheck({**rising, "numerator": numerator, "denominator": denominator})


def test_certificate_that_leaves_out_or_misplaces_a_pole_fails() -> None:
    right = find(*RISING["two"][:2]).certificate
    assert recheck(right)
    assert not recheck({**right, "poles": right["poles"][:1]})
    assert not recheck({**right, "poles": []})
    low, high = right["poles"][0]
    assert not recheck({**right, "poles": [[low, low], right["poles"][1]]})
    assert not recheck({**right, "poles": [[high, "-0.5"], right["poles"][1]]})
    assert not recheck({**right, "poles": [["-1.5", "0.5"], right["poles"][1]]})


def test_search_that_takes_every_pole_for_a_rising_one_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sign_at", lambda poly, x: 1)
    for numerator, denominator in FALLING.values():
        assert not recheck(find(numerator, denominator).certificate)


def test_flat_certificate_of_a_function_that_varies_fails() -> None:
    assert not recheck({"kind": "flat", "numerator": ["1", "1"], "denominator": ["1"]})


def test_minimum_above_the_limit_fails() -> None:
    # the witch's stationary points are its maximum and its minimum, its limits lie between them
    witch = find(*KNOWN["witch"][:2]).certificate
    assert not recheck({**witch, "minimum": 0})
    assert not recheck({**witch, "minimum": None})


def test_search_for_the_wrong_point_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_least", lambda points: 1)
    monkeypatch.setattr(module, "MOST_BITS", module.FIRST_BITS)
    assert not recheck(find(*KNOWN["double well, tilted"][:2]).certificate)


def test_a_value_hidden_by_a_tiny_denominator_is_found_with_more_bits() -> None:
    # (x^2 + 1) / ((x - 1)^2 + e) has its maximum near 1, where 256 bits do not tell the denominator from 0
    size = 10**160
    found = minimum(fmpq_poly([1, 0, 1]), fmpq_poly([fmpq(size + 1, size), -2, 1]))
    assert found.at == pytest.approx(-1.0)
    assert found.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("numerator", "slope", "stationary", "chosen"),
    [
        ([0, -3, 0, 1], [-3, 0, 3], {-1: 2, 1: -2}, 1),
        ([-1, 0, 2, 0, -1], [0, 4, 0, -4], {-1: 0, 0: -1, 1: 0}, 1),
    ],
    ids=["odd degree", "negative leading coefficient"],
)
def test_certificate_of_a_local_minimum_of_what_has_no_least_value_fails(
    numerator: list[int], slope: list[int], stationary: dict[int, int], chosen: int
) -> None:
    wrong = {
        "kind": "minimum",
        "numerator": [str(c) for c in numerator],
        "denominator": ["1"],
        "derivative": [str(c) for c in slope],
        "poles": [],
        "stationary": [{"at": [str(at)] * 2, "value": [str(value)] * 2} for at, value in stationary.items()],
        "minimum": chosen,
    }
    assert not recheck(wrong)
    # as a function that grows at both ends it would be one
    grown = {**wrong, "numerator": ["0", "0", "1"], "derivative": ["0", "2"], "minimum": 0}
    assert recheck({**grown, "stationary": [{"at": ["0", "0"], "value": ["0", "0"]}]})
