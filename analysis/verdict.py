"""The verdict: from findings and checks to one recommendation, by rules that are fixed in advance.

The rules are asked in this order, and the first that applies decides.

1. The data cannot be trusted → do not read. A failed check that is advisory does not count here.
2. A treatment does harm and no other treatment is ready to ship → roll back.
3. A fixed-horizon experiment has not reached its planned end → keep running.
4. A treatment improved the goal and every harm limit is ruled out → ship the best of them.
5. A treatment improved the goal but a harm limit is not ruled out yet → keep running; at the end, people
   decide.
6. The planned end has come without an improvement → stop.
7. Otherwise → keep running.
"""

from collections.abc import Callable, Sequence

from analysis.plan import Role
from analysis.readout import DataCheck, Finding, Ground, Reading, Recommendation, Verdict


def judge(
    *,
    treatments: Sequence[str],
    findings: Sequence[Finding],
    checks: Sequence[DataCheck],
    over: bool,
    locked: bool,
    does_harm: Callable[[Finding], bool],
) -> Verdict:
    """Reach a verdict.

    Parameters
    ----------
    over
        Whether the planned end has come.
    locked
        Whether results may be acted on only after that end (a fixed horizon).
    does_harm
        Says of a finding whether harm is established at this moment, by a test that may be asked at any time.
    """
    failed = tuple(
        Ground(f"{check.name}_failed") for check in checks if not check.passed and not check.advisory
    )
    if failed:
        return Verdict(Recommendation.DO_NOT_READ, None, failed)

    harm = tuple(_harm(finding) for finding in findings if does_harm(finding))
    harmed = {ground.variant for ground in harm}
    early = locked and not over
    improved = (
        [] if early else [name for name in treatments if name not in harmed and _improved(name, findings)]
    )
    ready = [name for name in improved if not _open_limits(name, findings)]
    gains = tuple(
        Ground("goal_better", finding.metric, finding.variant)
        for finding in findings
        if finding.role is Role.PRIMARY and finding.reading is Reading.BETTER and finding.variant in improved
    )
    if harm and not ready:
        return Verdict(Recommendation.ROLL_BACK, harm[0].variant, harm)
    if early:
        return Verdict(Recommendation.KEEP_RUNNING, None, (Ground("before_planned_end"),))
    if ready:
        best = max(ready, key=lambda name: _gain(name, findings))
        return Verdict(Recommendation.SHIP, best, gains + harm)
    if improved:
        limits = tuple(limit for name in improved for limit in _open_limits(name, findings))
        closing = (Ground("your_call"),) if over else ()
        best = max(improved, key=lambda name: _gain(name, findings))
        return Verdict(Recommendation.KEEP_RUNNING, best, gains + limits + closing)
    if over:
        return Verdict(Recommendation.STOP, None, (Ground("no_clear_effect"), *_ruled_out(findings)))
    return Verdict(Recommendation.KEEP_RUNNING, None, (Ground("not_conclusive_yet"),))


def _harm(finding: Finding) -> Ground:
    code = "guardrail_harmed" if finding.role is Role.GUARDRAIL else "goal_worse"
    return Ground(code, finding.metric, finding.variant)


def _improved(name: str, findings: Sequence[Finding]) -> bool:
    """At least one primary metric better and none worse."""
    readings = {f.reading for f in findings if f.variant == name and f.role is Role.PRIMARY}
    return Reading.BETTER in readings and Reading.WORSE not in readings


def _open_limits(name: str, findings: Sequence[Finding]) -> tuple[Ground, ...]:
    return tuple(
        Ground("limit_open", finding.metric, name)
        for finding in findings
        if finding.variant == name and finding.role is Role.GUARDRAIL and finding.reading is not Reading.SAFE
    )


def _ruled_out(findings: Sequence[Finding]) -> tuple[Ground, ...]:
    return tuple(
        Ground("ruled_out", finding.metric, finding.variant)
        for finding in findings
        if finding.role is Role.PRIMARY and finding.reading is Reading.EQUIVALENT
    )


def _gain(name: str, findings: Sequence[Finding]) -> float:
    """How far the first primary metric moved, for choosing the best of several."""
    first = next(f for f in findings if f.variant == name and f.role is Role.PRIMARY)
    return abs(first.difference.estimate) if first.difference else 0.0
