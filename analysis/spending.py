"""Spending: how the error rate is given out over the looks of a group-sequential plan.

α(t) is the probability of a false claim, on one side, spent up to the information fraction t. Any schedule of
looks may be followed, also one that was not planned: each look spends what has become available since the
last.

References
----------
Lan, DeMets (1983), *Discrete sequential boundaries for clinical trials*, Biometrika 70. Hwang, Shih, De Cani
(1990), *Group sequential designs using a family of type I error probability spending functions*, Statistics
in Medicine 9.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from scipy import special

from analysis.errors import InvalidInput


class Family(StrEnum):
    """The shape of the spending."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"
    HWANG_SHIH_DECANI = "hwang_shih_decani"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class Spending:
    """A spending function.

    Attributes
    ----------
    family
        ``OBRIEN_FLEMING``: 2 − 2·Φ(z(1 − α/2)/√t), next to nothing early; the default. ``POCOCK``:
        α·log(1 + (e − 1)·t), nearly even. ``HWANG_SHIH_DECANI``: α·(1 − e^(−γt))/(1 − e^(−γ)).
        ``POWER``: α·t^γ.
    gamma
        The parameter γ of the last two.
    """

    family: Family = Family.OBRIEN_FLEMING
    gamma: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.gamma) or (self.family is Family.POWER and self.gamma <= 0):
            raise InvalidInput(f"gamma: expected a finite number, above 0 for power, not {self.gamma}")

    def spent(self, t: float, alpha: float) -> float:
        """One-sided error rate spent up to the information fraction t; all of ``alpha`` from t = 1 on.

        Examples
        --------
        >>> round(Spending().spent(0.5, 0.025), 7)
        0.0015253
        """
        if t >= 1:
            return alpha
        match self.family:
            case Family.OBRIEN_FLEMING:
                return 2 * float(special.ndtr(special.ndtri(alpha / 2) / math.sqrt(t)))
            case Family.POCOCK:
                return alpha * math.log1p((math.e - 1) * t)
            case Family.HWANG_SHIH_DECANI if self.gamma == 0:
                return alpha * t
            case Family.HWANG_SHIH_DECANI:
                return alpha * math.expm1(-self.gamma * t) / math.expm1(-self.gamma)
            case Family.POWER:
                return float(alpha * t**self.gamma)


def require_times(times: tuple[float, ...]) -> None:
    """Refuse information fractions that do not rise from above 0."""
    if not times or times[0] <= 0 or any(b <= a for a, b in pairwise(times)):
        raise InvalidInput(f"times: expected rising information fractions above 0, not {times}")
    if not math.isfinite(times[-1]):
        raise InvalidInput("times: expected finite information fractions")
