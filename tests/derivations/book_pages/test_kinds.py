"""The pages on one kind of change each: all are there, minima are told apart by simulation, and what stands is counted."""

from __future__ import annotations

import re

from derivations.book_pages.change import brief, turned
from derivations.book_pages.html import upright
from derivations.book_pages.reader import kinds
from derivations.book_pages.reader.kinds import CLAIMS, KINDS
from derivations.publishing.build import SOURCE
from derivations.variants.table import VARIANTS
from numeric_check.draws.estimate import Estimate


def test_every_kind_has_a_page_in_the_contents_and_known_variants() -> None:
    contents = (SOURCE / "_toc.yml").read_text(encoding="utf-8")
    labels = {variant.label for variant in VARIANTS}
    for kind in KINDS:
        page = (SOURCE / f"{kind.page}.md").read_text(encoding="utf-8")
        assert f"# {kind.title}\n" in page
        assert f"file: {kind.page}\n" in contents
        assert set(kind.labels) <= labels
        assert page.count("kinds.minima(") == 2
        assert "kinds.standing(" in page
        assert "    derive " in page or "change.command(" in page


def test_the_loss_with_a_general_covariance_is_said_by_the_means_of_its_proof() -> None:
    formula, _, noise = kinds.general_loss().text.partition("<details>")
    assert r"\mathrm{Tr}\left[H_t^{-1} Q H_t^{-1} \Sigma\right]" in formula
    assert "H_t = " in formula
    assert r"\Sigma_w" in noise.partition("Q = ")[2]


def test_a_minimum_sampled_below_the_first_is_noticed_beyond_doubt_alone() -> None:
    first = Estimate(1.0, 0.01, 100)
    assert turned([first, Estimate(0.9, 0.01, 100)])
    assert not turned([first, Estimate(0.95, 0.01, 100)])
    assert not turned([first, Estimate(1.1, 0.01, 100)])
    assert not turned([first])


def test_a_reason_ends_before_a_long_polynomial() -> None:
    assert brief("sign certificate: no certificate for -n*p^3") == "no certificate of the sign is found"
    assert brief("no closed form (leave out a positive factor: no certificate for n)") == "no closed form"
    assert brief("another formula") == "another formula"


def test_words_in_indices_are_upright() -> None:
    assert upright(r"X_{minus,1} + n_{plus,2}") == r"X_{\mathrm{minus},1} + n_{\mathrm{plus},2}"
    assert (
        upright(r"\Sigma_{w} + B_{ij} + \bar L^{test} + x_{\alpha}")
        == r"\Sigma_{w} + B_{ij} + \bar L^{test} + x_{\alpha}"
    )


def counted(text: str) -> list[int]:
    found = re.search(r"Of ([\d\u202f,]+) steps ([\d\u202f,]+) do not depend", text)
    assert found is not None
    return [int(re.sub(r"\D", "", part)) for part in found.groups()]


def test_without_a_change_every_step_stands() -> None:
    every, free = counted(kinds.standing().text)
    assert every == free


def test_a_change_lets_some_claims_fall_and_says_why() -> None:
    text = kinds.standing("split=reused").text
    every, free = counted(text)
    assert 0 < free < every
    assert text.count("<tr>") == len(CLAIMS) + 1
    assert "with reused data" in text
    assert "changed: derived anew" in text
    assert "n_v*sigma" not in text
