"""The classical Runge-Kutta step with a fixed length, as one of scipy's solvers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DenseOutput, OdeSolver

Array = NDArray[np.float64]


def hermite(share: Array | float, step: float, y0: Array, f0: Array, y1: Array, f1: Array) -> Array:
    """Cubic through two values and two slopes, at a share of the step."""
    s = share
    return np.asarray(
        (1 + 2 * s) * (1 - s) ** 2 * y0
        + s**2 * (3 - 2 * s) * y1
        + step * (s * (1 - s) ** 2 * f0 - s**2 * (1 - s) * f1)
    )


class _HermiteOutput(DenseOutput):
    def __init__(self, t_old: float, t: float, y0: Array, f0: Array, y1: Array, f1: Array) -> None:
        super().__init__(t_old, t)
        self._ends = (y0, f0, y1, f1)

    def _call_impl(self, t: Any) -> Any:
        share = (np.asarray(t) - self.t_old) / (self.t - self.t_old)
        if share.ndim == 0:
            return hermite(float(share), self.t - self.t_old, *self._ends)
        return hermite(share, self.t - self.t_old, *(end[:, None] for end in self._ends))


class BatchedRK4(OdeSolver):
    """Classical Runge-Kutta method of order 4 with a fixed step, for any number of members at once.

    Works as ``method`` of :func:`scipy.integrate.solve_ivp`. There is no error control: the members do not
    share a step size that an outlier among them could spoil.

    Parameters
    ----------
    fun, t0, y0, t_bound, vectorized
        As for :class:`scipy.integrate.OdeSolver`; ``y0`` is the flattened state of all members.
    steps : int
        Number of equal steps from ``t0`` to ``t_bound``.
    """

    def __init__(
        self,
        fun: Callable[[float, Array], Array],
        t0: float,
        y0: Array,
        t_bound: float,
        vectorized: bool = False,
        *,
        steps: int = 1,
    ) -> None:
        super().__init__(fun, t0, y0, t_bound, vectorized)
        self._start, self._count, self._done = t0, steps, 0
        self._last: tuple[Array, Array] | None = None

    def _step_impl(self) -> tuple[bool, str | None]:
        t, y = self.t, self.y
        self._done += 1
        share = self._done / self._count
        end = (
            self.t_bound if self._done == self._count else self._start + share * (self.t_bound - self._start)
        )
        h = end - t
        k1 = self.fun(t, y)
        k2 = self.fun(t + h / 2, y + h / 2 * k1)
        k3 = self.fun(t + h / 2, y + h / 2 * k2)
        k4 = self.fun(end, y + h * k3)
        self._last = (y, k1)
        self.y = y + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        self.t = end
        return True, None

    def _dense_output_impl(self) -> DenseOutput:
        assert self._last is not None
        return _HermiteOutput(float(self.t_old), self.t, *self._last, self.y, self.fun(self.t, self.y))
