"""A sweep that is killed at any moment goes on from there, to the same table; so do two at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

# everything is loaded once, and each sweep is a copy of that process: 20 of them take seconds
CHILD = """
import json, os, random, signal, sys, time
from pathlib import Path
from derivations.command import sweep
from derivations.language.assumptions import PAPER
from derivations.support import store
from derivations.support.workers import working

WORDS = ["n_t=30", "n_v=2", "n_r=20", "m=3", "p=60", "sigma=1", "nu=0.5", "alpha_r=0.2", "alpha_t=-1.5:1.5:0.02"]
folder = Path(sys.argv[1])

def table():
    # a slow machine would find the rows worth processes, which take longer to start than all rows to draw
    with working(workers=1):
        return sweep.run("eq5", WORDS, PAPER, simulate=True, rel_error=1e-3)

def started(name):
    os.environ["DERIVE_STORE"] = str(folder / name)
    child = os.fork()
    if child:
        return child
    try:
        written = folder / f"{os.getpid()}.part"
        written.write_text(json.dumps(table()))
        written.rename(folder / f"{name}.{os.getpid()}")  # whole or not at all
    finally:
        os._exit(0)

def ended(child):
    return os.WEXITSTATUS(os.waitpid(child, 0)[1])

sweep.run("eq5", [*WORDS[:-1], "alpha_t=-0.5:0.5:0.5"], PAPER, simulate=True, rel_error=1e-3)
store.close()
begun = time.monotonic()
ended(started("whole"))
seconds = time.monotonic() - begun
moments = random.Random(int(sys.argv[2]))
entries = []
for _ in range(20):
    child = started("killed")
    time.sleep(moments.random() * seconds / 4)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    entries.append(store.contents()["entries"])
    assert store.check() == {}
    store.close()
ended(started("killed"))
two = [started("shared"), started("shared")]
for child in two:
    ended(child)
print(json.dumps({"entries": entries, "shared": store.contents()["entries"]}))
"""


def test_a_sweep_survives_being_killed_and_being_run_twice(tmp_path: Path) -> None:
    seed = os.getpid()
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(seed)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "DERIVE_STORE": str(tmp_path / "first")},
    )
    assert ran.returncode == 0, (seed, ran.stderr)
    said = json.loads(ran.stdout)
    whole, *others = [
        json.loads(path.read_text())
        for name in ("whole", "killed", "shared")
        for path in tmp_path.glob(f"{name}.*")
    ]
    assert len(whole) == 151
    assert len(others) >= 3
    assert all(other == whole for other in others), seed
    assert said["entries"] == sorted(said["entries"]), "what was finished is never lost"
    assert said["entries"][-1] > 0, said
    assert said["shared"] == 151
