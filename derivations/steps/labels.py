"""What the parts of a step are called, and what kind of statement a name makes of its part.

A label is the left side of its part, as text; most are LaTeX and plain strings: `label = part`. The kinds below are
strings too, and carry what a reader of the step would otherwise have to guess from the text.
"""

from __future__ import annotations

from derivations.language.regime import Regime
from derivations.steps.domains import ANYWHERE, Where

LOSS = r"\bar L^{test}"
"""The average test loss."""
LOSS_AT_ZERO = rf"{LOSS}(0)"
"""The same at a training rate of zero."""
META_LOSS, TEST_LOSS = r"L^{meta}(\omega)", "L^{test}"
OVER_TASKS = r"\sum_{i=1}^m"
OVER_TARGETS = r"\mathbb{E}_w\mathbb{E}_{z^t}\mathbb{E}_{z^v}"
"""The average over task parameters and label noise, for given inputs of training."""
OVER_INPUTS = r"\mathbb{E}_{X^t}\mathbb{E}_{X^v}"


BY_MOVES = "a word whose letters the moves define: it is sampled move by move, not as a formula of sizes"
"""Why such a part is not sampled by itself."""


class Sign(str):
    """The label of the sign of a quantity (LaTeX): its part is 1, -1 or 0.

    holds: for which sizes, noise and rates it is claimed.
    """

    quantity: str
    holds: Where

    def __new__(cls, quantity: str, holds: Where = ANYWHERE) -> Sign:
        """The sign of this quantity there."""
        found = super().__new__(cls, rf"\mathrm{{sign}}\,{quantity}")
        found.quantity, found.holds = quantity, holds
        return found

    def on(self, holds: Where) -> Sign:
        """The same, claimed there."""
        return Sign(self.quantity, holds)

    def __reduce__(self) -> tuple[object, ...]:
        return Sign, (self.quantity, self.holds)


class Order(str):
    """The label of the exponent of an error: O(letter^a).

    letter: what grows, in LaTeX. where: the source that the error is due to, or the case in which it has this order;
    said: the same as it stands before a line of mathematics. holds: for which sizes, noise and rates it is claimed.
    """

    name: str
    letter: str
    where: str
    said: str
    holds: Where

    @property
    def growing(self) -> str:
        """What grows, in plain text."""
        return self.letter.removeprefix("\\")

    def __new__(
        cls, name: str, letter: str, where: str = "", said: str = "", holds: Where = ANYWHERE
    ) -> Order:
        """The exponent called `name`."""
        found = super().__new__(cls, f"{name} ({where})" if where else name)
        found.name, found.letter, found.where, found.said, found.holds = name, letter, where, said, holds
        return found

    def __reduce__(self) -> tuple[object, ...]:
        return Order, (self.name, self.letter, self.where, self.said, self.holds)

    def due_to(self, source: str, holds: Where = ANYWHERE) -> Order:
        """The same exponent for the part that a source causes; `holds`: where no other source is."""
        return Order(self.name, self.letter, source, rf"\text{{part of }} {source}", holds)

    def when(self, case: str) -> Order:
        """The same exponent in a case."""
        return Order(self.name, self.letter, case, case)


class Short(str):
    """A label short enough to stand for its part in a later formula."""

    __slots__ = ()


class Words(str):
    """A label in plain words; `full` says them where there is room."""

    name: str
    full: str

    def __new__(cls, name: str, full: str = "") -> Words:
        """These words."""
        found = super().__new__(cls, name)
        found.name, found.full = name, full or name
        return found

    def __reduce__(self) -> tuple[object, ...]:
        return Words, (self.name, self.full)


class Within(str):
    """The label of what stands under a sum or an average that is printed and that its part leaves to be taken.

    The text is the left side of the part alone. whole: the printed left side. under: the sum or average that is printed
    before the part, in LaTeX. outside: how many of the first terms, as printed, stand before it.
    """

    whole: str
    under: str
    outside: int

    def __new__(cls, part: str, whole: str, under: str, outside: int = 0) -> Within:
        """The part of that name in `whole = under [part]`."""
        found = super().__new__(cls, part)
        found.whole, found.under, found.outside = whole, under, outside
        return found

    def __reduce__(self) -> tuple[object, ...]:
        return Within, (str(self), self.whole, self.under, self.outside)


class InRegime(str):
    """The label of a quantity in one regime, of a step that has a formula for each.

    regime: p above n_v m + 1, or below n_v m - 1.
    """

    quantity: str
    regime: Regime

    def __new__(cls, quantity: str, regime: Regime) -> InRegime:
        """This quantity there."""
        found = super().__new__(cls, rf"{quantity}\big|_{{{regime.with_room('p', 'n_vm')}}}")
        found.quantity, found.regime = quantity, regime
        return found

    def __reduce__(self) -> tuple[object, ...]:
        return InRegime, (self.quantity, self.regime)


LEADING = "c"
"""The label of the leading coefficient, where a statement is one about an order."""
ORDER = Order("a", r"\xi")
IN_SIZE, IN_TASKS = Order(r"a_\xi", r"\xi"), Order("a_m", "m")
NUMERATOR = Words("numerator", "degree of the numerator")
DENOMINATOR = Words("denominator", "degree of the denominator")
