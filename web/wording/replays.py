"""Replays: what an A/A replay and a plan tried out have shown, line by line."""

from analysis.sample_ratio import SRM_LEVEL
from analysis.simulate import PlanOutcome, Replay
from web.wording import numbers
from web.wording.language import gettext


def replay_title(metric: str) -> str:
    """Name a replay."""
    return gettext("A/A replays of %(metric)s", metric=metric)


def replay_lead(outcome: Replay) -> str:
    """Say what was done."""
    return gettext(
        "%(replays)s random splits of %(units)s real units, nothing changed:",
        replays=numbers.whole(outcome.replays),
        units=numbers.whole(outcome.units),
    )


def replay_lines(outcome: Replay) -> tuple[tuple[str, str], ...]:
    """Say what the replays gave beside what they should give."""
    lift = outcome.detectable_lift
    return (
        (
            gettext("Called an effect"),
            _near(outcome.false_positives.value, 1 - outcome.confidence, decimals=1),
        ),
        (gettext("Interval held zero"), _near(outcome.coverage.value, outcome.confidence, decimals=1)),
        (gettext("Split called wrong"), _near(outcome.split_alarms.value, SRM_LEVEL, decimals=2)),
        (gettext("Detectable lift"), gettext("unknown") if lift is None else numbers.percent(lift, 1)),
    )


def plan_lead(*, inference: str, size: int, lift: float) -> str:
    """Say which plan was tried at which true change."""
    return gettext(
        "A true lift of %(lift)s, read %(inference)s, with up to %(size)s units:",
        lift=numbers.percent(lift, 1),
        inference=_inference(inference),
        size=numbers.whole(size),
    )


def _inference(name: str) -> str:
    return {
        "fixed": gettext("once at the planned end"),
        "sequential": gettext("at every look up to the planned size"),
        "group_sequential": gettext("at the planned looks"),
        "always_valid": gettext("at every look for as long as it runs"),
    }[name]


def plan_lines(plan: PlanOutcome) -> tuple[tuple[str, str], ...]:
    """Say how often the change was found, and when."""
    return (
        (gettext("Found"), numbers.percent(plan.claims.value, 1)),
        (gettext("Found the wrong way round"), numbers.percent(plan.wrong_way.value, 2)),
        (
            gettext("Ends on average at"),
            gettext("%(share)s of the planned size", share=numbers.percent(plan.mean_stop)),
        ),
    )


def _near(value: float, promised: float, *, decimals: int) -> str:
    return gettext(
        "%(value)s (should be near %(promised)s)",
        value=numbers.percent(value, decimals),
        promised=numbers.percent(promised, decimals),
    )
