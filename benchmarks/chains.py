"""Processor time of all proofs of the paper: every move carried out by the engine, and checked by its second route.

    python -m benchmarks.chains

In one process, from nothing remembered; the samples of moves are not in it.
"""

from __future__ import annotations

import time

from derivations.language.assumptions import PAPER
from derivations.steps.contents import load

AIM = 60.0
"""Seconds on two cores."""


def main() -> int:
    """Prints the times and the slowest proofs; 1 where a move is disproved."""
    steps = [step for step in load().values() if step.derivation is not None]
    started = time.process_time()
    seconds: dict[str, tuple[float, float]] = {}
    moves, disproved = 0, []
    for step in steps:
        assert step.derivation is not None
        before = time.process_time()
        chain = step.derivation(PAPER)
        between = time.process_time()
        disproved += [step.name for move in chain.moves if move.disproved]
        moves += len(chain.moves)
        seconds[step.name] = between - before, time.process_time() - between
    total = time.process_time() - started
    carried, checked = (sum(times) for times in zip(*seconds.values(), strict=True))
    print(
        f"{len(steps)} proofs, {moves} moves: {total:.1f} s of processor time (aim {AIM:.0f} s on two cores)"
    )
    print(f"carried out {carried:.1f} s, checked by their second routes {checked:.1f} s")
    for name in sorted(seconds, key=lambda name: -sum(seconds[name]))[:5]:
        print(f"  {name:44} {seconds[name][0]:5.1f} {seconds[name][1]:5.1f}")
    if disproved:
        print(f"disproved: {', '.join(disproved)}")
    return 1 if disproved else 0


if __name__ == "__main__":
    raise SystemExit(main())
