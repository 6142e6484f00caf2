"""Gaussian integration by parts on closed words.

For a Gaussian X with independent rows N(0, Sigma), E X_ia f(X) = sum_b Sigma_ab E df/dX_ib. Applied to
one occurrence of X in a product of traces it removes that occurrence together with each other one in turn:

    tr(X v X^T w) -> tr(Sigma v) tr(w)          tr(X v X w)    -> tr(v^T Sigma w)
    tr(X^T v X w) -> tr(v) tr(Sigma w)          tr(X^T v X^T w) -> tr(Sigma v^T w)

    tr(X u) tr(X w)     -> tr(u^T Sigma w)      tr(X u) tr(X^T w)   -> tr(Sigma u w)
    tr(X^T u) tr(X w)   -> tr(u Sigma w)        tr(X^T u) tr(X^T w) -> tr(u Sigma w^T)

A `State` is the product of those closed words that still hold random letters. `Contractions` knows, for a
state, the states that one step leads to, with the finished words that fall off. Words are bytes in an
alphabet of their own, deterministic letters before random ones, so that the least rotation puts a run of
deterministic letters first and the step continues next to it: far fewer different states are met that way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from symbolic.letters import ONE, Letter, covariance_letter

State = tuple[bytes, ...]
"""Canonical closed words with random letters in them, sorted."""

Loop = bytes | str
"""A finished closed word, or the dimension name that an empty closed word is worth."""

Step = tuple[State, tuple[Loop, ...], int]
"""A following state, the finished words, and how many contractions lead there."""

MAX_FACTORS = 256


class Alphabet:
    """Byte codes for a set of letters: deterministic ones first, random ones last.

    Raises ValueError when the letters do not fit into a byte.
    """

    def __init__(self, fixed: Sequence[Letter], random: Sequence[Letter]) -> None:
        self.letters = [*fixed, *random]
        self.code: dict[tuple[Letter, bool], int] = {}
        factors: list[tuple[Letter, bool]] = []
        for letter in self.letters:
            for transposed in (False, True):
                if transposed and letter.symmetric:
                    self.code[letter, True] = self.code[letter, False]
                else:
                    self.code[letter, transposed] = len(factors)
                    factors.append((letter, transposed))
        if len(factors) > MAX_FACTORS:
            raise ValueError(
                f"{len(self.letters)} letters are too many for one expectation: split the product"
            )
        self.factors = factors
        self.transposition = bytes(
            self.code[factors[code][0], not factors[code][1]] if code < len(factors) else 0
            for code in range(MAX_FACTORS)
        )
        self.rows = [letter.columns if flip else letter.rows for letter, flip in factors]
        self.cuts = frozenset(code for code, rows in enumerate(self.rows) if rows == ONE)
        self.units = frozenset(code for code, (letter, _) in enumerate(factors) if letter.unit)
        self.first_random = min((self.code[letter, False] for letter in random), default=len(factors))

    def transpose(self, word: bytes) -> bytes:
        """The word of the transposed product."""
        return word[::-1].translate(self.transposition)


class Contractions:
    """The steps of integration by parts over one alphabet, remembered."""

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self._steps: dict[State, tuple[Step, ...]] = {}
        self._canonical: dict[bytes, tuple[bytes, ...] | None] = {}
        self._covariance: dict[int, bytes] = {}
        self._matrix: dict[int, bytes] = {}
        for (letter, transposed), code in alphabet.code.items():
            if code >= alphabet.first_random:
                covariance = covariance_letter(letter)
                self._covariance[code] = (
                    b"" if covariance is None else bytes((alphabet.code[covariance, False],))
                )
                self._matrix[code] = bytes({code, alphabet.code[letter, not transposed]})

    @property
    def size(self) -> int:
        """How many states and words are remembered."""
        return len(self._steps) + len(self._canonical)

    # -- canonical words -----------------------------------------------------------------------------------

    def canonical(self, word: bytes) -> tuple[bytes, ...] | None:
        """The canonical closed words whose product is the trace of a non-empty word; None when it is zero."""
        try:
            return self._canonical[word]
        except KeyError:
            result = self._canonical[word] = self._cut(word)
            return result

    def _cut(self, word: bytes) -> tuple[bytes, ...] | None:
        alphabet = self.alphabet
        cuts = [place for place, code in enumerate(word) if code in alphabet.cuts] if alphabet.cuts else []
        if len(cuts) <= 1:
            pieces = [word]
        else:
            twice = word + word
            pieces = [twice[a:b] for a, b in zip(cuts, [*cuts[1:], cuts[0] + len(word)], strict=True)]
        settled = []
        for piece in pieces:
            if len(piece) == 2 and piece[0] in alphabet.units and piece[1] in alphabet.units:
                if alphabet.factors[piece[0]][0] != alphabet.factors[piece[1]][0]:
                    return None
            else:
                settled.append(self._least(piece))
        return tuple(settled)

    def _least(self, word: bytes) -> bytes:
        """The least rotation of a word and its transpose; only rotations that begin with the least code."""
        size = len(word)
        mirrored = self.alphabet.transpose(word)
        lowest, other = min(word), min(mirrored)
        candidates = []
        for text, least in ((word, lowest), (mirrored, other)):
            if least <= lowest and least <= other:
                twice = text + text
                place = text.find(least)
                while place >= 0:
                    candidates.append(twice[place : place + size])
                    place = text.find(least, place + 1)
        return min(candidates)

    # -- steps ---------------------------------------------------------------------------------------------

    def steps(self, state: State) -> tuple[Step, ...]:
        """All contractions of one occurrence of one random letter in a state, equal results merged."""
        try:
            return self._steps[state]
        except KeyError:
            result = self._steps[state] = self._contract(state)
            return result

    def _choose(self, state: State) -> tuple[int, int]:
        """The word and the place to contract.

        The matrix that occurs least often; among its words one that also has deterministic letters, then the
        shortest.
        """
        first_random = self.alphabet.first_random
        counts = Counter(self._matrix[code] for word in state for code in word if code >= first_random)
        matrix = min(counts, key=lambda pair: (counts[pair], pair))
        ranks = (
            (word[0] >= first_random, len(word), number, place)
            for number, word in enumerate(state)
            for code in matrix
            if (place := word.find(code)) >= 0
        )
        _, _, number, place = min(ranks)
        return number, place

    def _contract(self, state: State) -> tuple[Step, ...]:
        number, place = self._choose(state)
        word = state[number]
        others = state[:number] + state[number + 1 :]
        letter, matrix = word[place], self._matrix[word[place]]
        sigma = self._covariance[letter]
        upright = not self.alphabet.factors[letter][1]
        rest = word[place + 1 :] + word[:place]
        outer, inner = self.alphabet.rows[letter], self.alphabet.rows[self.alphabet.transposition[letter]]
        rows, columns = (outer, inner) if upright else (inner, outer)
        flip = self.alphabet.transpose
        found: Counter[tuple[State, tuple[Loop, ...]]] = Counter()

        def record(words: tuple[tuple[bytes, str], ...], untouched: State, count: int) -> None:
            result = self._sort(words, untouched)
            if result is not None:
                found[result] += count

        for split, code in enumerate(rest):
            if code in matrix:
                before, after = rest[:split], rest[split + 1 :]
                if code != letter:
                    if upright:
                        record(((sigma + before, columns), (after, rows)), others, 1)
                    else:
                        record(((before, rows), (sigma + after, columns)), others, 1)
                elif upright:
                    record(((flip(before) + sigma + after, columns),), others, 1)
                else:
                    record(((sigma + flip(before) + after, rows),), others, 1)
        for other, copies in Counter(others).items():
            position = others.index(other)
            untouched = others[:position] + others[position + 1 :]
            for split, code in enumerate(other):
                if code in matrix:
                    tail = other[split + 1 :] + other[:split]
                    if upright:
                        merged = flip(rest) + sigma + tail if code == letter else sigma + rest + tail
                    else:
                        merged = rest + sigma + (flip(tail) if code == letter else tail)
                    record(((merged, columns),), untouched, copies)
        return tuple((following, loops, count) for (following, loops), count in found.items())

    def _sort(
        self, words: tuple[tuple[bytes, str], ...], untouched: State
    ) -> tuple[State, tuple[Loop, ...]] | None:
        """Canonical words, told apart into those still random and those finished; None when zero."""
        random: list[bytes] = []
        loops: list[Loop] = []
        for word, dimension in words:
            if not word:
                if dimension != ONE:
                    loops.append(dimension)
                continue
            pieces = self.canonical(word)
            if pieces is None:
                return None
            for piece in pieces:
                (random if max(piece) >= self.alphabet.first_random else loops).append(piece)
        if random:
            return tuple(sorted((*untouched, *random))), tuple(loops)
        return untouched, tuple(loops)
