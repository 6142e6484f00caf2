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

from collections.abc import Sequence

from symbolic.algebra.letters import ONE, Letter, covariance_letter
from symbolic.algebra.refusal import Refused

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
            raise Refused(f"{len(self.letters)} letters are too many for one expectation: split the product")
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


Closed = tuple[tuple[bytes, ...], tuple[Loop, ...]]
"""Canonical closed words that still hold random letters, and those that do not."""


class Contractions:
    """The steps of integration by parts over one alphabet, remembered."""

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self._steps: dict[State, tuple[Step, ...]] = {}
        self._closed: dict[bytes, Closed | None] = {}
        self._covariance: dict[int, bytes] = {}
        self._matrix: dict[int, bytes] = {}
        self._identity: dict[int, Closed] = {}
        for (letter, transposed), code in alphabet.code.items():
            if code >= alphabet.first_random:
                sigma = covariance_letter(letter)
                self._covariance[code] = b"" if sigma is None else bytes((alphabet.code[sigma, False],))
                self._matrix[code] = bytes(sorted({code, alphabet.code[letter, not transposed]}))
                size = alphabet.rows[code]
                self._identity[code] = (), () if size == ONE else (size,)
        self._matrices = sorted(set(self._matrix.values()))

    @property
    def size(self) -> int:
        """How many states and words are remembered."""
        return len(self._steps) + len(self._closed)

    # -- canonical words -----------------------------------------------------------------------------------

    def closed(self, word: bytes) -> Closed | None:
        """The trace of a non-empty word in canonical form; None when it is zero."""
        result = self._closed.get(word)
        if result is None:
            result = self._closed[word] = self._settle(word)
        return result

    def _settle(self, word: bytes) -> Closed | None:
        alphabet = self.alphabet
        cuts = [place for place, code in enumerate(word) if code in alphabet.cuts] if alphabet.cuts else []
        if len(cuts) <= 1:
            pieces = [word]
        else:
            twice = word + word
            pieces = [twice[a:b] for a, b in zip(cuts, [*cuts[1:], cuts[0] + len(word)], strict=True)]
        random: list[bytes] = []
        finished: list[bytes] = []
        for piece in pieces:
            if len(piece) == 2 and piece[0] in alphabet.units and piece[1] in alphabet.units:
                if alphabet.factors[piece[0]][0] != alphabet.factors[piece[1]][0]:
                    return None
            elif max(piece) >= alphabet.first_random:
                random.append(self._least(piece))
            else:
                finished.append(self._least(piece))
        return tuple(random), tuple(finished)

    def _least(self, word: bytes) -> bytes:
        """The least rotation of a word and its transpose; only rotations that begin with the least code."""
        mirrored = self.alphabet.transpose(word)
        lowest = min(word + mirrored)
        best = None
        for text in (word, mirrored):
            place = text.find(lowest)
            while place >= 0:
                turned = text[place:] + text[:place]
                if best is None or turned < best:
                    best = turned
                place = text.find(lowest, place + 1)
        return best or word

    # -- steps ---------------------------------------------------------------------------------------------

    def steps(self, state: State) -> tuple[Step, ...]:
        """All contractions of one occurrence of one random letter in a state, equal results merged."""
        try:
            return self._steps[state]
        except KeyError:
            result = self._steps[state] = self._contract(state)
            return result

    def _choose(self, state: State) -> tuple[int, int]:
        """The word and the place to contract: the matrix that occurs least often, its first word, last place.

        The first word begins with the least deterministic letter there is, so that one step after the other
        continues at the same end of the same word.
        """
        rarest = self._matrices[0]
        if len(self._matrices) > 1:
            counts = {m: sum(word.count(c) for word in state for c in m) for m in self._matrices}
            rarest = min((m for m in self._matrices if counts[m]), key=counts.__getitem__)
        upright, transposed = rarest[0], rarest[-1]
        for number, word in enumerate(state):
            place = max(word.rfind(upright), word.rfind(transposed))
            if place >= 0:
                return number, place
        raise AssertionError("a state holds random letters")

    def _contract(self, state: State) -> tuple[Step, ...]:
        number, place = self._choose(state)
        word, others = state[number], state[:number] + state[number + 1 :]
        letter = word[place]
        matrix, sigma = self._matrix[letter], self._covariance[letter]
        rest = word[place + 1 :] + word[:place]
        upright = not self.alphabet.factors[letter][1]
        outer, inner = self._identity[letter], self._identity[self.alphabet.transposition[letter]]
        rows, columns = (outer, inner) if upright else (inner, outer)
        flip, closed = self.alphabet.transpose, self.closed
        found: dict[tuple[State, tuple[Loop, ...]], int] = {}
        for split, code in enumerate(rest):
            if code not in matrix:
                continue
            before, after = rest[:split], rest[split + 1 :]
            if code == letter:
                joined = flip(before) + sigma + after if upright else sigma + flip(before) + after
                result = closed(joined) if joined else rows
            else:
                left, right = (sigma + before, after) if upright else (sigma + after, before)
                first, second = closed(left) if left else columns, closed(right) if right else rows
                result = first and second and (first[0] + second[0], first[1] + second[1])
            if result:
                random, loops = result
                key = tuple(sorted(others + random)), loops
                found[key] = found.get(key, 0) + 1
        for other in dict.fromkeys(others):
            position = others.index(other)
            untouched, copies = others[:position] + others[position + 1 :], others.count(other)
            for split, code in enumerate(other):
                if code in matrix:
                    tail = other[split + 1 :] + other[:split]
                    if code == letter:
                        joined = flip(rest) + sigma + tail if upright else rest + sigma + flip(tail)
                    else:
                        joined = sigma + rest + tail if upright else rest + sigma + tail
                    result = closed(joined) if joined else columns
                    if result:
                        random, loops = result
                        key = tuple(sorted(untouched + random)), loops
                        found[key] = found.get(key, 0) + copies
        return tuple((following, loops, count) for (following, loops), count in found.items())
