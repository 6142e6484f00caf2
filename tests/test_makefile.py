"""With which Python `make` sets up the environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


# far less than any real Python takes, so that those on the machine do not count
@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"python3": "1e-6", "python3.11": "5e-7"}, "python3.11"),
        ({"python3": "1e-6", "python3.11": "9e-7"}, "python3"),
        ({"python3": None, "python3.12": "1e-6", "python3.11": "9e-7"}, "python3.12"),
    ],
)
def test_make_takes_the_first_python_unless_another_is_much_quicker(
    seconds: Mapping[str, str | None], chosen: str, tmp_path: Path
) -> None:
    for name, took in seconds.items():
        stand_in = tmp_path / name
        # one that is too old, or makes no environments, says nothing
        said = "exit 1" if took is None else f"echo {stand_in} {took}"
        stand_in.write_text(f"#!/bin/sh\n{said}\n", encoding="utf-8")
        stand_in.chmod(0o755)
    # of the make that runs these tests
    outer = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"}
    own = {name: value for name, value in os.environ.items() if name not in outer}
    shown = subprocess.run(
        ["make", "-s", "--eval", "shown: ; @echo $(PYTHON)", "shown"],
        cwd=ROOT,
        env={**own, "PATH": f"{tmp_path}{os.pathsep}{own['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == str(tmp_path / chosen)
