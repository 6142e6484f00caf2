"""The largest samples that are not refused stay under two gigabytes; what is larger is refused before it is drawn."""

from __future__ import annotations

import subprocess
import sys

import pytest

from derivations.command.cli import main
from derivations.command.simulation_budget import LARGEST, numbers_held
from numeric_check.estimators.simulation import Method
from numeric_check.problem.setting import Setting

# numbers that one draw holds, as a share of what is allowed, and how many bytes of them are told from none
NEARLY, LEAST, MOST = 0.85, 300e6, 2e9
SETTINGS: dict[Method, Setting] = {
    "conditional": Setting(20, 500, 30, 20, 600, 1.0, 0.5, -0.1, 0.1),
    "plain": Setting(30, 100, 20, 30, 600, 1.0, 0.5, -0.1, 0.1),
}
# since it became another program: ru_maxrss is no less than what the process that started it held then
PEAK = """
import sys
def peak():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return 1024 * int(status["VmHWM"].split()[0])
"""
# in a process of its own, whose peak is that of one batch
BATCH = f"""{PEAK}
from numeric_check.draws.seeds import generator_for
from numeric_check.estimators.simulation import batch_function_of
from numeric_check.problem.setting import Setting
protocol, *words = sys.argv[1:]
setting = Setting(*map(int, words[:5]), *map(float, words[5:]))
batch_function_of(setting, "loss", protocol)(generator_for("memory", 0))
print(peak())
"""


@pytest.mark.parametrize("protocol", SETTINGS)
def test_the_largest_batch_stays_under_two_gigabytes(protocol: Method) -> None:
    s = SETTINGS[protocol]
    assert NEARLY * LARGEST < numbers_held(s, "loss", protocol) <= LARGEST
    words = (s.n_t, s.n_v, s.n_r, s.m, s.p, s.sigma, s.nu, s.alpha_t, s.alpha_r)
    done = subprocess.run(
        [sys.executable, "-c", BATCH, protocol, *map(str, words)], capture_output=True, text=True, check=True
    )
    assert LEAST < float(done.stdout) < MOST


# a whole command, with all that it loads, prepares and keeps
COMMAND = f"""{PEAK}
from derivations.command.cli import main
assert main(sys.argv[1:]) == 0
print(peak())
"""
RATES = ["sigma=1", "nu=0.5", "alpha_t=-0.1", "alpha_r=0.1"]


@pytest.mark.slow(20)
@pytest.mark.parametrize(
    ("command", "least"),
    [
        # the steps that are sampled at the largest sizes
        (["verify", "theorem-1", "scale-mixture-breaks-the-conclusion", "--fresh"], 1e8),
        (
            ["simulate", "eq9", "n_t=20", "n_v=250", "n_r=30", "m=20", "p=600", *RATES, "--rel-error", "0.1"],
            LEAST,
        ),
    ],
    ids=["verify", "simulate"],
)
def test_a_command_at_large_sizes_stays_under_two_gigabytes(command: list[str], least: float) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *command, "--workers", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert least < float(done.stdout.splitlines()[-1]) < MOST


@pytest.mark.parametrize(
    "command",
    [
        ["simulate", "eq9", "n_v=500", "m=20", "p=6000", "--protocol", "conditional"],
        ["simulate", "eq9", "n_v=500", "m=20", "p=600", "--protocol", "plain"],
        ["sweep", "eq9", "n_v=500", "m=20", "p=6000:6001:1", "--simulate"],
    ],
)
def test_larger_ones_are_refused_in_one_line(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["n_t=2000", "n_r=2000", *RATES]
    assert main([*command[:2], *words, *command[2:]]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "one draw would hold" in err
    assert "choose smaller n_t, n_v, n_r, m or p" in err
