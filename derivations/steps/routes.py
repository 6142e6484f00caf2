"""Expectations by both routes: the engine's answer, given only when the pairing oracle agrees."""

from __future__ import annotations

from collections.abc import Collection

from symbolic.algebra.words import Expression
from symbolic.averages.expectation import expect
from symbolic.averages.pairings import expect_by_pairings


class RoutesDisagree(ArithmeticError):
    """Integration by parts and the sum over Wick pairings gave different moments."""


def expect_by_both_routes(expr: Expression, over: Collection[str] | None = None) -> Expression:
    """E[expr] by integration by parts, checked against the sum over all pairings; raises RoutesDisagree."""
    engine = expect(expr, over)
    oracle = expect_by_pairings(expr, over)
    if not (engine - oracle).is_zero:
        raise RoutesDisagree(f"the engine gives {engine}, the pairings give {oracle}")
    return engine
