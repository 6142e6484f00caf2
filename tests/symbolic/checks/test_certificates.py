"""Certificates: right moments pass, wrong ones are caught, plain data can be checked again."""

import json
from dataclasses import replace

import pytest

from symbolic.algebra.words import constant, gaussian, identity, matrix, scalar, tr, unit, zero
from symbolic.averages import by_parts
from symbolic.averages.expectation import clear_cache, expect
from symbolic.checks import checks, gram_moments, small_sizes
from symbolic.checks.certificates import Certificate, CertificateError, certify, recheck
from symbolic.checks.checks import Check

X = gaussian("X", "n", "p")
S = gaussian("S", "n", "p", covariance="Sigma")
Y = gaussian("Y", "m", "p")
A = matrix("A", "p", "p")
C = matrix("C", "n", "n")
W, V = X.T @ X, S.T @ S

MOMENTS = {
    "W^2": W**2,
    "W^2 tr(W^2)": W**2 * tr(W**2),
    "tr(W)^2 tr(W^3)": tr(W) ** 2 * tr(W**3),
    "V^3": V**3,
    "V A V": V @ A @ V,
    "X.T C X": X.T @ C @ X,
    "X A X.T": X @ A @ X.T,
    "tr(W A W A)": tr(W @ A @ W @ A),
    "polynomial": (identity("p") - scalar("alpha") * W) ** 2 @ A,
    "element": tr(W @ unit("p", 1) @ unit("p", 2).T) ** 2,
    "two matrices": tr(W @ Y.T @ Y) * V,
    "tr(W^4)": tr(W**4),
    "W^8": W**8,
    "V^6": V**6,
    "scaled": scalar("1/n") * W @ W,
    "odd": X,
    "zero": zero("p", "p"),
    "constant": constant(3),
}


@pytest.fixture(autouse=True)
def _cold():
    clear_cache()
    yield
    clear_cache()


@pytest.mark.parametrize("name", MOMENTS)
def test_right_moments_pass_and_recheck(name):
    moment = MOMENTS[name]
    certificate = certify(moment, expect(moment))
    assert certificate.require() is certificate
    assert recheck(certificate)
    data = json.loads(json.dumps(certificate.as_dict()))
    assert recheck(data)
    assert data["passed"]
    for check in certificate.checks:
        assert check.applies != bool(check.reason)
        assert check.applies == (check.expected is not None)


@pytest.mark.parametrize(
    ("name", "applying"),
    [
        (
            "W^2",
            {
                "pairing count",
                "single column",
                "symmetry",
                "total degree",
                "large numbers",
                "pairing sum",
                "small sizes",
            },
        ),
        (
            "tr(W)^2 tr(W^3)",
            {
                "pairing count",
                "single column",
                "single row",
                "symmetry",
                "total degree",
                "large numbers",
                "small sizes",
            },
        ),
        ("tr(W^4)", {check.__name__.replace("_", " ") for check in checks.CHECKS}),
        ("V^3", {"pairing count", "single column", "large numbers", "pairing sum", "small sizes"}),
        ("X.T C X", {"pairing count", "pairing sum", "small sizes"}),
        ("X A X.T", {"pairing count", "pairing sum", "small sizes"}),
        ("element", {"large numbers", "pairing sum", "small sizes"}),
        ("two matrices", {"pairing count", "pairing sum", "small sizes"}),
        (
            "W^8",
            {"pairing count", "single column", "symmetry", "total degree", "large numbers", "small sizes"},
        ),
    ],
)
def test_which_checks_apply(name, applying):
    certificate = certify(MOMENTS[name], expect(MOMENTS[name]))
    assert {check.name for check in certificate.checks if check.applies} == applying
    assert len(certificate.checks) == len(checks.CHECKS)


def test_stored_values_are_the_known_ones():
    """tr W^3 at n = p = 1 has 5!! = 15 pairings, and n (n + 2) (n + 4) = n^3 + 6 n^2 + 8 n for one column."""
    stored = {check.name: check for check in certify(tr(W**3), expect(tr(W**3))).checks}
    assert stored["pairing count"].expected == "15"
    assert stored["single column"].expected == "n^3 + 6*n^2 + 8*n"
    assert stored["single row"].expected == "p^3 + 6*p^2 + 8*p"
    assert stored["total degree"].expected == "4"
    assert stored["large numbers"].expected == "n^3: p"


WRONG = {
    "factor n dropped": (W**2, lambda value: value.replace({"n": 1})),
    "factor 2": (V**3, lambda value: 2 * value),
    "sign": (tr(W**3), lambda value: -value),
    "added zero at size 1": (tr(W**2), lambda value: value + (scalar("n") - 1) * (scalar("p") - 1)),
    "n + p shifted": (tr(W**8), lambda value: value + scalar("n") - scalar("p")),
    "transposed letter": (W @ A @ W, lambda value: value.T),
    "wrong letter": (V @ A @ V, lambda value: value.replace({"A": A.T})),
    "zero": (W, lambda value: value - value),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_values_are_caught(name):
    moment, spoil = WRONG[name]
    right = expect(moment)
    wrong = spoil(right)
    assert wrong != right
    certificate = certify(moment, wrong)
    assert not certificate.passed
    assert not recheck(certificate)
    with pytest.raises(CertificateError, match="do not use it") as caught:
        certificate.require()
    assert "\n" not in str(caught.value)


def test_every_lost_term_is_caught():
    for moment in (W**3, V @ A @ V, tr(W**2) * tr(W)):
        right = expect(moment)
        for key, value in right.monomials.items():
            for exponents, number in value.terms():
                lost = type(right)(
                    {key: value.context().from_dict({exponents: number})}, right.shape, right.letter_indices
                )
                assert not certify(moment, right - lost).passed
                assert not certify(moment, right + lost).passed


def test_swapped_dimensions_are_caught_where_they_matter():
    for moment in (W, V**2, tr(W @ A @ W @ A)):
        right = expect(moment)
        swapped = right.replace({"n": scalar("p"), "p": scalar("n")})
        assert swapped != right
        assert not certify(moment, swapped).passed


def test_large_degrees_are_guarded_without_the_pairings():
    """The sum over pairings is out of reach at degree 16; single coefficients off by one are still caught."""
    moment = W**8
    right = expect(moment)
    (value,) = right.monomials.values()
    for exponents, _ in value.terms():
        one = value.context().from_dict({exponents: 1})
        off = right + type(right)({((), ""): one}, right.shape, right.letter_indices)
        certificate = certify(moment, off)
        assert "pairing sum" not in {check.name for check in certificate.checks if check.applies}
        assert not certificate.passed


def with_steps(monkeypatch, spoil):
    """The engine with every list of steps spoiled."""
    contract = by_parts.Contractions._contract
    monkeypatch.setattr(
        by_parts.Contractions, "_contract", lambda self, state: tuple(spoil(contract(self, state)))
    )


def drop_a_factor(monkeypatch):
    """An empty word on the rows is worth 1 instead of n."""
    with_steps(
        monkeypatch,
        lambda steps: [(state, tuple(x for x in loops if x != "n"), k) for state, loops, k in steps],
    )


def lose_a_term(monkeypatch):
    """The last of several contractions is forgotten."""
    with_steps(monkeypatch, lambda steps: steps[:-1] or steps)


def wrong_factor_two(monkeypatch):
    """Contractions that occur several times count once too often."""
    with_steps(monkeypatch, lambda steps: [(state, loops, k + (k > 1)) for state, loops, k in steps])


def swap_dimensions(monkeypatch):
    """An empty word is taken to have the other dimension."""
    other = {"n": "p", "p": "n"}
    with_steps(
        monkeypatch,
        lambda steps: [(state, tuple(other.get(x, x) for x in loops), k) for state, loops, k in steps],
    )


def forget_a_transposition(monkeypatch):
    """A reversed word keeps its letters as they were."""
    monkeypatch.setattr(by_parts.Alphabet, "transpose", lambda self, word: word[::-1])


def forget_the_covariance(monkeypatch):
    """A contraction leaves the identity where the covariance belongs."""
    monkeypatch.setattr(by_parts, "covariance_letter", lambda letter: None)


@pytest.mark.parametrize(
    ("mutation", "words"),
    [
        (drop_a_factor, [W**3, W**2 * tr(W**2), W**4]),
        (lose_a_term, [W**2, V**3, V @ A @ V, tr(W**8)]),
        (wrong_factor_two, [W**3, tr(W) * W, V**4, tr(W**8)]),
        (swap_dimensions, [W, V**2, W @ A @ W, tr(W @ A @ W @ A)]),
        (forget_a_transposition, [W @ A @ W, V @ A @ V]),
        (forget_the_covariance, [V, V**2, V @ A @ V, V**6]),
    ],
)
def test_a_broken_engine_is_caught_on_every_word(mutation, words, monkeypatch):
    right = [expect(word) for word in words]
    clear_cache()
    mutation(monkeypatch)
    for word, value in zip(words, right, strict=True):
        broken = expect(word)
        assert broken != value
        with pytest.raises(CertificateError):
            certify(word, broken).require()


@pytest.mark.parametrize("name", [check.__name__ for check in checks.CHECKS])
def test_every_check_fails_by_itself_on_some_wrong_value(name):
    """No check is idle: each one alone catches a wrong value of tr(W^2)."""
    check = next(check for check in checks.CHECKS if check.__name__ == name)
    moment = tr(W**2)
    wrong = scalar("n") ** 3 * scalar("p") + 17 * expect(moment)
    result = checks.run(check, checks.Case(moment, wrong))
    assert result.applies
    assert not result.passed


def test_a_tampered_certificate_does_not_recheck():
    certificate = certify(W**2, expect(W**2))
    first, *rest = certificate.checks
    forged = Certificate(W**2, expect(W**2), (Check(first.name, "4", "4"), *rest))
    assert forged.passed
    assert not recheck(forged)
    data = certificate.as_dict()
    data["result"]["terms"][0]["coefficient"]["terms"][0][1] = "2"
    assert not recheck(data)
    assert not recheck(replace(certificate, checks=certificate.checks[:-1]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certify(W, scalar("n")), "differ"),
        (lambda: certify(W, W), "still random"),
        (lambda: recheck({}), "no certificate"),
        (lambda: recheck({"checks": [], "moment": {}, "result": {}}), "describe no expression"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_small_sizes_declines_beyond_its_limit(monkeypatch):
    monkeypatch.setattr(small_sizes, "MOST_COST", 0)
    certificate = certify(W, expect(W))
    (last,) = [check for check in certificate.checks if check.name == "small sizes"]
    assert "too high" in (last.reason or "")


def test_moments_of_entries_are_what_the_small_sizes_rest_on(monkeypatch):
    monkeypatch.setattr(gram_moments, "double_factorial", lambda k: 1)
    gram_moments.gram_moments.cache_clear()
    assert not certify(W**2, expect(W**2)).passed
    gram_moments.gram_moments.cache_clear()
