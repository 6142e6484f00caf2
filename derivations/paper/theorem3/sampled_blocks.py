"""Numeric confirmation of the concentration under Theorem 3: Gaussian and Laplace inputs, general spectra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from derivations.language.assumptions import Assumptions
from derivations.steps import discrete_law
from derivations.steps.draws import Array, squared_norms, transpose
from derivations.steps.labels import LEADING, ORDER
from derivations.steps.orders import exponent_of, leading_of
from derivations.steps.step import Check, Observed, Step
from derivations.steps.task_draws import contracted_rows, covariance_halves, design, target
from derivations.verification.growth import Halves, fluctuation_check
from numeric_check.draws.sample import Sample
from numeric_check.problem.laws import GAUSSIAN, input_law

CheckFunction = Callable[[Step, Assumptions, int], list[Check]]
LAWS = ("gaussian", "laplace")
NOISES = 512  # draws of a task and its label noise for a sampled Gamma
BASE = {"m": 2, "alpha_t": 0.2, "sigma": 0.8}
LADDER = tuple({**BASE, "xi": float(k), "p": 2 * k, "n_t": 3 * k, "n_v": 4} for k in (12, 24, 48, 96))
# an inverse needs many more dimensions than rows
INVERSE_LADDER = tuple(
    {**BASE, "xi": float(k), "p": 6 * k, "n_t": 3 * k, "n_v": 1} for k in (16, 32, 64, 128)
)
DRAWS = {"inverse": 160, "noise": 160}
SIZES = (
    {"n_t": 5, "n_v": 2, "m": 1, "p": 4, "sigma": 0.7, "alpha_t": 0.2},
    {"n_t": 9, "n_v": 1, "m": 2, "p": 5, "sigma": 0.9, "alpha_t": -0.15},
    {"n_t": 6, "n_v": 2, "m": 2, "p": 6, "sigma": 1.1, "alpha_t": 0.3},
)


# -- general spectra that grow with the dimension -----------------------------------------------------------


def spectra(size: int) -> tuple[Array, Array, Array]:
    """Diagonals of Sigma, of Sigma_w with trace of order one, and of a weight H_r, in unrelated orders."""
    steps = (np.arange(size) + 0.5) / size
    return 0.5 + steps, (0.3 + np.cos(7 * steps) ** 2) / size, 1.5 - np.sin(5 * steps) ** 2


def define_letters(sample: Sample, law: str) -> None:
    """Give the letters their values for entries of a law."""
    for name, value in _letters(sample.size("p"), law).items():
        sample.define(name, value)


@lru_cache(maxsize=8)
def _letters(size: int, law: str) -> Mapping[str, Array]:
    """The letters, all diagonal; F has the elements s_i (sum_j s_j^2 + (kurtosis - 1) s_i^2)."""
    s, tasks, weight = spectra(size)
    fourth = s * (np.sum(s**2) + (input_law(law).kurtosis - 1) * s**2)
    return {
        name: np.diag(x) for name, x in (("Sigma", s), ("Sigma_w", tasks), ("H_r", weight), ("F", fourth))
    }


def _inputs(sample: Sample, rows: str, law: str) -> Array:
    return np.asarray(sample.inputs(rows, "p", law) * np.sqrt(spectra(sample.size("p"))[0]))


def _noise(sample: Sample, law: str) -> Halves:
    """Gamma of one task, from draws of the task and of the label noise at given inputs."""
    x_v, x_t = _inputs(sample, "n_v", law), _inputs(sample, "n_t", law)
    spread = np.sqrt(spectra(sample.size("p"))[1])[:, None]
    return covariance_halves(sample, x_t, x_v, spread * sample.gaussian("p", NOISES))


def _design(sample: Sample, law: str) -> Array:
    """The block of B of one task; of Gaussian training data only their product with the validation rows is drawn."""
    x_v = _inputs(sample, "n_v", law)
    if law != GAUSSIAN.name:
        return contracted_rows(x_v, _inputs(sample, "n_t", law), sample["alpha_t"])
    root = np.sqrt(spectra(sample.size("p"))[0])
    passed = sample.through_wishart(x_v * root, "n_t") * root
    return np.asarray(x_v - sample["alpha_t"] / sample["n_t"] * passed)


def _block(block: str, sample: Sample, law: str) -> Array | Halves:
    """The matrix of all m tasks: B B^T, B H_r B^T, the inverse of B B^T; or Gamma of one task."""
    if block == "noise":
        return _noise(sample, law)
    weight = spectra(sample.size("p"))[2]
    b = np.concatenate([_design(sample, law) for _ in range(sample.size("m"))], axis=1)
    if block == "weighted":
        return np.asarray((b * weight) @ transpose(b))
    gram = b @ transpose(b)
    return np.asarray(np.linalg.inv(gram) if block == "inverse" else gram)


def fluctuations(block: str) -> CheckFunction:
    """The check that the block minus its leading part fluctuates with the exponent that the step derives."""

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        def block_of(law: str) -> Callable[[Sample], Array | Halves]:
            def observed(sample: Sample) -> Array | Halves:
                define_letters(sample, law)
                return _block(block, sample, law)

            return observed

        return [
            fluctuation_check(
                f"{ORDER}, {law} entries",
                f"{step.name}/{law}",
                INVERSE_LADDER if block == "inverse" else LADDER,
                block_of(law),
                exponent_of(step, assumptions),
                leading_of(step, assumptions),
                draws=DRAWS.get(block, 120),
                base_seed=seed,
                rows="n_v" if law == GAUSSIAN.name and block != "noise" else "n_t",
            )
            for law in LAWS
        ]

    return check


def products(powers: tuple[int, int]) -> CheckFunction:
    """The check that X^v W_i^a W_j^b X^vT, rescaled, fluctuates by the root of the derived variance."""

    def product_of(law: str) -> Callable[[Sample], Array]:
        def observed(sample: Sample) -> Array:
            rows = []
            for power in powers:
                x_v = _inputs(sample, "n_v", law)
                x_t = _inputs(sample, "n_t", law) if power else x_v
                for _ in range(power):
                    x_v = (x_v @ transpose(x_t)) @ x_t
                rows.append(x_v)
            return np.asarray(rows[0] @ transpose(rows[1]) / sample["p"] ** (1 + sum(powers)))

        return observed

    def check(step: Step, assumptions: Assumptions, seed: int) -> list[Check]:
        return [
            fluctuation_check(
                f"{ORDER}/2, {law} entries",
                f"{step.name}/{law}",
                LADDER,
                product_of(law),
                exponent_of(step, assumptions) / 2,
                draws=120,
                base_seed=seed,
            )
            for law in LAWS
        ]

    return check


def observe_mean(block: str, sample: Sample) -> Observed:
    """The mean diagonal element of a block, for the discrete law of inputs."""
    rate = sample["alpha_t"]
    size = sample.size("p")
    if block == "noise":
        return _observe_noise(sample)
    weight = sample.matrix("H_r", "p", "p", positive=True) if block == "weighted" else np.eye(size)
    total: Array = np.zeros(())
    for _ in range(sample.size("m")):
        x_t, x_v = discrete_law.inputs(sample, "n_t"), discrete_law.inputs(sample, "n_v")
        b = design(x_t, x_v, rate)
        total = total + np.einsum("bij,bij->b", b @ weight, b)
    return {LEADING: np.asarray(total / (sample["n_v"] * sample["m"]))}


def _observe_noise(sample: Sample) -> Observed:
    """The mean diagonal element of Gamma, from one draw of the task and of the label noise for each of the inputs."""
    tasks = 0.1 * sample.matrix("tasks", "p", "p", positive=True)
    sample.define("Sigma_w", tasks)
    total: Array = np.zeros(())
    for _ in range(sample.size("m")):
        x_t, x_v = discrete_law.inputs(sample, "n_t"), discrete_law.inputs(sample, "n_v")
        gamma = target(sample, x_t, x_v, transpose(sample.gaussian(1, "p", tasks)))
        total = total + squared_norms(gamma)
    return {LEADING: np.asarray(total / (sample["n_v"] * sample["m"]))}
