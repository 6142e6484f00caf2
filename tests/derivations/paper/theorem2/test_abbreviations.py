"""mu, h_t and g by their chains: the same names with more inner steps, and wrong ones noticed."""

from __future__ import annotations

import pytest

from derivations.command.cli import main
from derivations.language.assumptions import PAPER, NotDerivable, read
from derivations.language.normal_form import to_sympy
from derivations.paper.theorem2 import abbreviations
from derivations.paper.theorem2.abbreviations import (
    WISHART,
    abbreviation_chain,
    definitions,
    mu,
    named_moments,
    term_value,
)
from derivations.paper.theorem2.moments import TASKS, TRAINING, VALIDATION, term_chain
from derivations.steps.chain import Chain, Rule
from derivations.steps.contents import find
from derivations.typeset.latex import latex
from derivations.typeset.named_forms import named_form
from derivations.typeset.proofs import text
from derivations.typeset.term_order import name_latex
from symbolic.algebra.words import Expression, constant, matrix, reciprocal, scalar, tr
from symbolic.averages.expectation import expect

TWO, THREE = read(["inner_steps=2"]), read(["inner_steps=3"])
QUARTIC = "1 - 4*alpha_t + 6*alpha_t^2*mu_2 - 4*alpha_t^3*mu_3 + alpha_t^4*mu_4"


def test_g_3_reads_as_on_paper() -> None:
    chain = abbreviation_chain("g_3", PAPER)
    assert [move.rule for move in chain.moves] == [Rule.EXPAND, Rule.KNOWN]
    assert text(chain.result) == QUARTIC
    assert latex(chain.result) == (
        r"1 - 4 \alpha_t + 6 \alpha_t^2 \mu_2 - 4 \alpha_t^3 \mu_3 + \alpha_t^4 \mu_4"
    )


def test_with_two_steps_h_is_the_g_3_of_one_step() -> None:
    assert text(abbreviation_chain("h_t", TWO).result) == QUARTIC
    assert len(abbreviation_chain("h_t", THREE).result.coefficient()) == 7


@pytest.mark.parametrize("assumptions", [PAPER, TWO, THREE], ids=["one", "two", "three"])
@pytest.mark.parametrize("source", [VALIDATION, TASKS, TRAINING])
def test_the_parts_of_b_gamma_b_are_averaged_for_more_inner_steps(source: str, assumptions: object) -> None:
    chain = term_chain(source, assumptions)
    assert [move.disproved for move in chain.moves] == [""] * len(chain.moves)
    assert chain.result.letters() == {}


def test_what_the_names_stand_for() -> None:
    found = definitions({"h_t", "g_4", "n_t"}, PAPER)
    assert list(found) == ["h_t", "g_4", "mu_2", "mu_1_1", "mu_2_1", "mu_2_2"]
    written = found["h_t"].replace({"mu_2": found["mu_2"]})
    assert written == term_value("h_t", PAPER)
    assert found["mu_1_1"] == 1 + 2 * reciprocal("n_t") * reciprocal("p")
    assert latex(scalar("mu_2_1")) == r"\mu_{2,1}"


def test_the_names_are_means_of_words_of_the_model() -> None:
    x = abbreviations.WISHART
    for powers in ((5,), (3, 2), (6, 4)):
        product = constant(1)
        for k in powers:
            product = product * tr(x**k) * reciprocal("p") * reciprocal("n_t") ** k
        assert mu(powers) == expect(product)


def test_terms_without_a_name_are_left_out() -> None:
    w = abbreviations.SHORT_W
    other = matrix("D", "p", "p", symmetric=True)
    assert named_moments(tr(w) * tr(w) * tr(w) + tr(w @ other)) == ()
    assert len(named_moments(w @ w + tr(w) * w)) == 2


def test_a_wrong_mu_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = abbreviations.mu

    def wrong(powers: tuple[int, ...]) -> Expression:
        return right(powers) + (reciprocal("n_t") if powers == (3,) else 0)

    monkeypatch.setattr(abbreviations, "mu", wrong)
    chain = Chain(tr(abbreviations.SHORT_W**3))
    chain.by_known(named_moments(chain.result), {"W": abbreviations.WISHART}, {"X_t"})
    assert chain.moves[0].check == "failed"


@pytest.mark.parametrize("changed", ["inputs=uniform", "covariance=general"])
def test_other_inputs_have_no_such_names(changed: str) -> None:
    with pytest.raises(NotDerivable, match="Gaussian inputs"):
        abbreviation_chain("g_1", read([changed]))


def test_the_formula_of_two_steps_keeps_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "eq9", "--assume", "inner_steps=2"]) == 0
    shown = capsys.readouterr().out
    quartic = r"1 - 4 \alpha_t + 6 \alpha_t^2 \mu_2 - 4 \alpha_t^3 \mu_3 + \alpha_t^4 \mu_4"
    assert f"h_t = {quartic}" in shown
    assert r"\frac{\alpha_t^2 g_1}{n_t h_t}" in shown
    assert r"\mu_{4,4} = " in shown


@pytest.mark.parametrize("name", ["9", "96", "100"])
def test_the_names_written_out_are_what_is_derived(name: str) -> None:
    step = find(name)
    assert step.derive is not None
    found = named_form(step, TWO)
    names = {label: value for label, value in found.items() if label not in step.derive(TWO)}
    for label, part in step.derive(TWO).items():
        tree = found[label]
        for _ in range(2):
            tree = tree.subs(
                {x: names[name_latex(str(x))] for x in tree.free_symbols if name_latex(str(x)) in names}
            )
        at = {"n_t": 5, "n_v": 3, "n_r": 7, "m": 4, "p": 2, "alpha_t": -1, "alpha_r": 2, "sigma": 3, "nu": 5}
        left, right = (
            to_sympy(x).subs({s: at[str(s)] for s in to_sympy(x).free_symbols}) for x in (tree, part)
        )
        assert left == right


@pytest.mark.parametrize("number", [*map(str, range(98, 108))])
def test_statement_and_proof_mean_the_same_w(number: str) -> None:
    """W is X^T X in both, and its scale stands beside it."""
    step = find(number)
    assert step.derivation is not None
    chain = step.derivation(PAPER)
    values = {name: value for move in chain.moves for name, value in move.values.items()}
    assert values["W"] == WISHART
    assert "with W = X^T X and" in step.statement
    (start,) = chain.starts.values()
    assert ("1/n_t" in start.scalars()) == ("W / n_t" in step.statement)
