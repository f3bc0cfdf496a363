"""Alarms: whether a guardrail is beyond a limit, by a rule that may be asked at every look."""

import math
from collections.abc import Iterator, Mapping

from analysis.inference import AlwaysValid
from analysis.interval import Interval
from analysis.plan import Role
from analysis.questions import BURN_IN
from analysis.readout import Finding, Readout


def breaches(readout: Readout, limits: Mapping[str, float]) -> Iterator[Finding]:
    """Find the guardrails whose whole interval lies beyond its limit, on the harmful side.

    Before a fixed horizon's end the intervals of the readout may be read only once, so they are widened to
    the always-valid ones of the same plan; the standard error of a lift is then taken relative to a control
    that is known, which is close for the sizes that alarm.

    Parameters
    ----------
    limits
        By metric: the relative harm that is still tolerated, above 0; metrics without one are not watched.
    """
    signs = {metric.key: metric.direction.sign for metric in readout.plan.metrics}
    for finding in readout.comparisons:
        limit = limits.get(finding.metric)
        if limit is None or finding.role is not Role.GUARDRAIL or finding.segment is not None:
            continue
        interval = _readable_now(readout, finding)
        if interval is not None and _beyond(interval, signs[finding.metric], limit):
            yield finding


def _beyond(interval: Interval, sign: int, limit: float) -> bool:
    """For a metric that should fall, harm is a rise; otherwise a fall."""
    return interval.low > limit if sign < 0 else interval.high < -limit


def _readable_now(readout: Readout, finding: Finding) -> Interval | None:
    if finding.lift is None:
        return None
    if readout.over or readout.plan.inference != "fixed":
        return finding.lift
    if min(finding.treatment_n, finding.control_n) < BURN_IN:
        return None
    if not finding.standard_error or not finding.control_value:
        return None
    watch = AlwaysValid(readout.plan.optimum, readout.plan.confidence)
    width = watch.multiplier(df=math.inf, n=finding.treatment_n + finding.control_n)
    half = width * finding.standard_error / abs(finding.control_value)
    return Interval(finding.lift.estimate, finding.lift.estimate - half, finding.lift.estimate + half)
