"""Everything that fixes one instance of the sampled meta-learning problem.

The problem (equations (1)-(4), (18)-(30) of the paper, and its general-covariance form (109)-(111)): m
training tasks, each a linear regression in p dimensions with its own parameter w; n_t points to adapt on, n_v
points to validate on; a target task with n_r points to adapt on and n_s points to test on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.impossible import Impossible
from numeric_check.problem.laws import GAUSSIAN, InputLaw, input_law

Array = NDArray[np.float64]
Regime = Literal["over", "under", "critical"]
# one inner step: step number, parameters (..., p, k), gradient of the same shape, learning rate
InnerStep: TypeAlias = Callable[[int, Array, Array, float], Array]
# an entry of a covariance beyond this overflows in its powers
LARGEST_ENTRY = 1e100
RATES, NONNEGATIVE = ("alpha_t", "alpha_r"), ("sigma", "nu", "dist0_sq")
COUNTS = ("n_t", "n_v", "n_r", "m", "p", "n_s", "inner_steps", "adaptation_steps")


@dataclass(frozen=True, eq=False)
class Setting:
    """One instance of the problem. Raises ValueError, in one line, for a value that makes no sense.

    n_t, n_v, n_r, n_s: training, validation, target and test points per task. m: training tasks. p:
    parameters. sigma: label-noise standard deviation. nu: task variability, E|w - w_0|^2 = nu^2. alpha_t,
    alpha_r: learning rates at meta-training and at adaptation. dist0_sq: |omega_0 - w_0|^2. inner_steps,
    adaptation_steps: gradient steps at meta-training and at adaptation. inputs: law of the entries of u,
    where an input is x = Sigma^(1/2) u (see `laws.input_law`). split: "separate", or "reused" when the
    validation set is the training set (same inputs, same noise). noise_val: label-noise standard deviation of
    the validation data at meta-training, where it differs from sigma. Sigma, Sigma_w: p x p covariances of
    inputs and of task parameters; identity and nu^2/p times the identity when absent. With Sigma given,
    omega_0 = w_0 = 0 as in Theorem 3. inner_step: how one step of the inner loop at meta-training is made from
    its number, the parameters, the gradient and alpha_t, where it is not gradient descent; plain data, whose
    repr says what it does, and with theta minus a multiple of the gradient as its result.
    """

    n_t: int
    n_v: int
    n_r: int
    m: int
    p: int
    sigma: float
    nu: float
    alpha_t: float
    alpha_r: float
    dist0_sq: float = 0.0
    n_s: int = 50
    inner_steps: int = 1
    adaptation_steps: int = 1
    inputs: str = "gaussian"
    split: Literal["separate", "reused"] = "separate"
    noise_val: float | None = None
    Sigma: Array | None = None
    Sigma_w: Array | None = None
    inner_step: InnerStep | None = None

    def __post_init__(self) -> None:
        for name in COUNTS:
            object.__setattr__(self, name, _count(name, getattr(self, name)))
        for name in (*RATES, *NONNEGATIVE):
            lowest = -math.inf if name in RATES else 0.0
            object.__setattr__(self, name, _number(name, getattr(self, name), lowest))
        if self.noise_val is not None:
            object.__setattr__(self, "noise_val", _number("noise_val", self.noise_val, 0.0))
        for name in ("Sigma", "Sigma_w"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, covariance(name, getattr(self, name), self.p))
        input_law(self.inputs)
        if self.split not in ("separate", "reused"):
            raise Impossible(f"split is {self.split!r}: choose separate or reused")
        if self.split == "reused" and self.n_v != self.n_t:
            raise Impossible(
                f"split=reused validates on the training data: n_v={self.n_v} must equal n_t={self.n_t}"
            )
        if self.split == "reused" and self.noise_val not in (None, self.sigma):
            raise Impossible(
                "split=reused shares the label noise: leave noise_val out or set it equal to sigma"
            )
        if self.dist0_sq > 0 and (self.Sigma is not None or self.Sigma_w is not None):
            raise Impossible(
                "dist0_sq must be 0 when Sigma or Sigma_w is given: set dist0_sq=0 or drop the covariances"
            )

    @property
    def law(self) -> InputLaw:
        """The law of the entries of u."""
        return input_law(self.inputs)

    @property
    def validation_points(self) -> int:
        """N = n_v m, the number of equations the outer problem fits."""
        return self.n_v * self.m

    @property
    def regime(self) -> Regime:
        """Overparameterized (p > n_v m), underparameterized (p < n_v m), or exactly between."""
        if self.p == self.validation_points:
            return "critical"
        return "over" if self.p > self.validation_points else "under"

    @property
    def sigma_v(self) -> float:
        """Label-noise standard deviation of the validation data."""
        return self.sigma if self.noise_val is None else self.noise_val

    @cached_property
    def root(self) -> Array | None:
        """The symmetric square root of Sigma, or None for the identity."""
        return None if self.Sigma is None else symmetric_root(self.Sigma)

    @cached_property
    def rank(self) -> int:
        """Rank of Sigma: the number of directions the inputs span."""
        return self.p if self.Sigma is None else int(np.linalg.matrix_rank(self.Sigma, hermitian=True))

    @cached_property
    def diagonal(self) -> bool:
        """Whether Sigma is a diagonal matrix (or the identity, when absent)."""
        return self.Sigma is None or np.count_nonzero(self.Sigma - np.diag(np.diag(self.Sigma))) == 0

    @cached_property
    def task_root(self) -> Array | float:
        """A square root of Sigma_w: a p x p matrix, or the number nu/sqrt(p) for an isotropic law."""
        return self.nu / math.sqrt(self.p) if self.Sigma_w is None else symmetric_root(self.Sigma_w)

    @cached_property
    def task_covariance(self) -> Array:
        """Sigma_w as a p x p matrix."""
        return self.nu**2 / self.p * np.eye(self.p) if self.Sigma_w is None else self.Sigma_w

    @cached_property
    def fingerprint(self) -> str:
        """A name of this setting by its content: equal settings have equal fingerprints on every machine."""
        digest = hashlib.sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            text = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
            digest.update(field.name.encode() + b"=" + text + b";")
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Setting) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


def in_eigenbasis(setting: Setting) -> Setting:
    """An equivalent setting with diagonal Sigma where the input law is rotation invariant, else the same.

    Losses and norms do not change when inputs and parameters are rotated together.
    """
    if setting.Sigma is None or setting.diagonal or setting.law is not GAUSSIAN:
        return setting
    values, vectors = np.linalg.eigh(setting.Sigma)
    rotated = None if setting.Sigma_w is None else vectors.T @ setting.Sigma_w @ vectors
    return replace(setting, Sigma=np.diag(np.maximum(values, 0.0)), Sigma_w=rotated)


def symmetric_root(matrix: Array) -> Array:
    """The symmetric positive semidefinite square root of a covariance."""
    if np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0:
        return np.diag(np.sqrt(np.maximum(np.diag(matrix), 0.0)))
    return _full_root(np.asarray(matrix, dtype=np.float64).tobytes(), len(matrix))


# the same covariance serves many draws
@lru_cache(maxsize=32)
def _full_root(data: bytes, size: int) -> Array:
    values, vectors = np.linalg.eigh(np.frombuffer(data).reshape(size, size))
    root: Array = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    root.setflags(write=False)
    return root


def covariance(name: str, value: object, p: int) -> Array:
    """A checked, read-only p x p covariance. Raises ValueError when it is not one."""
    given = np.asarray(value)
    if given.dtype.kind == "c":
        raise Impossible(f"{name} is complex: give a real symmetric matrix")
    if given.dtype.kind not in "iuf":
        raise Impossible(f"{name} does not hold numbers: give a real symmetric matrix")
    if given.size == 0:
        raise Impossible(f"{name} is empty: give a p x p matrix with p of at least 1")
    if given.shape != (p, p):
        raise Impossible(f"{name} has shape {given.shape}: it must be {(p, p)}, as p={p}")
    matrix = given.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise Impossible(f"{name} has an infinite or undefined entry: give finite numbers")
    scale = float(np.abs(matrix).max())
    if scale > LARGEST_ENTRY:
        raise Impossible(
            f"{name} has the entry {scale:.3g}, beyond {LARGEST_ENTRY:g}: give it in other units"
        )
    if float(np.abs(matrix - matrix.T).max()) > 1e-10 * scale:
        raise Impossible(f"{name} is not symmetric: give (M + M^T)/2")
    matrix = (matrix + matrix.T) / 2
    if float(np.linalg.eigvalsh(matrix)[0]) < -1e-10 * scale:
        raise Impossible(f"{name} has a negative eigenvalue: a covariance is positive semidefinite")
    matrix.setflags(write=False)
    return matrix


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise Impossible(f"{name} is {value!r}: give a positive integer")
    if not math.isfinite(value) or value != int(value) or value < 1:
        raise Impossible(f"{name} is {value!r}: give a positive integer")
    return int(value)


def _number(name: str, value: object, lowest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise Impossible(f"{name} is {value!r}: give a finite number")
    if not math.isfinite(value):
        raise Impossible(f"{name} is {value!r}: give a finite number")
    if value < lowest:
        raise Impossible(f"{name} is {value!r}: it cannot be negative")
    # adding zero makes -0.0 the same setting as 0.0
    return float(value) + 0.0
