"""Findings and checks as a verdict sees them, built by hand."""

from analysis import Finding, Interval, Reading, Role, Verdict
from analysis.readout import DataCheck
from analysis.verdict import judge

HARM = (Reading.WORSE, Reading.HARMFUL)


def goal(reading: Reading, variant: str = "new", metric: str = "sales", moved: float = 0.1) -> Finding:
    """A primary metric with its reading."""
    known = None if reading is Reading.NOT_ESTIMABLE else Interval(moved, moved - 0.1, moved + 0.1)
    return Finding(metric, Role.PRIMARY, variant, "old", reading, 1_000, 1_000, difference=known)


def guard(reading: Reading, variant: str = "new", metric: str = "latency") -> Finding:
    """A guardrail with its reading."""
    return Finding(metric, Role.GUARDRAIL, variant, "old", reading, 1_000, 1_000)


def side(reading: Reading, variant: str = "new", metric: str = "visits") -> Finding:
    """A secondary metric with its reading."""
    return Finding(metric, Role.SECONDARY, variant, "old", reading, 1_000, 1_000)


def verdict(
    *findings: Finding, over: bool = False, locked: bool = False, failed: tuple[str, ...] = ()
) -> Verdict:
    """Judge findings; harm is what reads as harm on a primary metric or a guardrail."""
    checks = [DataCheck(name, name not in failed) for name in ("srm", "crossover", "exposures", "metrics")]
    return judge(
        treatments=list(dict.fromkeys(finding.variant for finding in findings)) or ["new"],
        findings=findings,
        checks=checks,
        over=over,
        locked=locked,
        does_harm=lambda finding: finding.role is not Role.SECONDARY and finding.reading in HARM,
    )


def told(answer: Verdict) -> tuple[str, str | None, list[str]]:
    """A verdict in short: what to do, with which variant, and why."""
    return str(answer.recommendation), answer.variant, [str(ground) for ground in answer.grounds]
