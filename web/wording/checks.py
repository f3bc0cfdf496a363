"""The four checks beside the verdict: data, goal, guardrails, time."""

from dataclasses import dataclass
from datetime import datetime

from analysis import Finding, Reading, Readout, Role
from web.wording import numbers
from web.wording.language import gettext, ngettext
from web.wording.names import Names
from web.wording.readings import overall, withholds
from web.wording.verdict import goal_of


@dataclass(frozen=True, slots=True)
class FourChecks:
    """One line of the list: ``good``, ``bad`` or ``open``, a claim in a few words, and its grounds."""

    state: str
    claim: str
    grounds: str

    @property
    def symbol(self) -> str:
        """The shape of the state."""
        return {"good": "✓", "bad": "✗", "open": "●"}[self.state]


def four_checks(readout: Readout, names: Names) -> tuple[FourChecks, ...]:
    """Word the checks behind a verdict."""
    return (_data(readout), _goal(readout, names), _guardrails(readout), _time(readout))


def _data(readout: Readout) -> FourChecks:
    failed = {check.name for check in readout.failed}
    if not failed and readout.advice:
        advice = ngettext("%(num)s thing to look at", "%(num)s things to look at", len(readout.advice))
        return FourChecks("good", gettext("The data can be trusted"), advice)
    if not failed:
        return FourChecks(
            "good", gettext("The data can be trusted"), gettext("split as planned, events are arriving")
        )
    words = {
        "srm": gettext("the split is not as planned"),
        "crossover": gettext("units were seen in two variants"),
        "exposures": gettext("no unit has been exposed"),
        "metrics": gettext("a metric has counted nothing"),
    }
    grounds = numbers.listed([words[name] for name in words if name in failed])
    if "exposures" in failed:
        return FourChecks("open", gettext("No data yet"), grounds)
    return FourChecks("bad", gettext("The data cannot be trusted"), grounds)


def _goal(readout: Readout, names: Names) -> FourChecks:
    goals = [finding for finding in overall(readout) if finding.role is Role.PRIMARY]
    if readout.failed:
        return FourChecks("open", gettext("The goal is not judged"), gettext("the data come first"))
    if withholds(readout):
        return FourChecks(
            "open", gettext("The goal is not judged yet"), gettext("one look, at the planned end")
        )
    better = [finding for finding in goals if finding.reading is Reading.BETTER]
    worse = [finding for finding in goals if finding.reading is Reading.WORSE]
    if better:
        return FourChecks(
            "good", gettext("The goal metric improved"), _better_grounds(readout, names, better)
        )
    if worse:
        return FourChecks(
            "bad", gettext("The goal metric got worse"), gettext("the whole interval lies on the worse side")
        )
    if any(finding.reading is Reading.NOT_ESTIMABLE for finding in goals):
        return FourChecks("open", gettext("The goal cannot be estimated yet"), "")
    return FourChecks(
        "open", gettext("The goal is not conclusive"), gettext("the data fit both a rise and a fall")
    )


def _better_grounds(readout: Readout, names: Names, better: list[Finding]) -> str:
    if len(readout.plan.treatments) > 1:
        treatments = list(dict.fromkeys(names.variant(finding.variant) for finding in better))
        return gettext("with %(names)s", names=numbers.listed(treatments))
    return gettext("the whole interval lies on the better side")


def _guardrails(readout: Readout) -> FourChecks:
    goal = goal_of(readout, readout.verdict.variant)
    rails = [finding for finding in overall(readout) if finding.role is Role.GUARDRAIL]
    if readout.verdict.variant is not None and goal is not None:
        rails = [finding for finding in rails if finding.variant == readout.verdict.variant]
    if not rails:
        return FourChecks(
            "open", gettext("No guardrail was set"), gettext("nothing watches for side effects")
        )
    broken = [finding for finding in rails if finding.reading is Reading.HARMFUL]
    safe = [finding for finding in rails if finding.reading is Reading.SAFE]
    count = gettext(
        "%(safe)s of %(all)s inside their limit", safe=numbers.whole(len(safe)), all=numbers.whole(len(rails))
    )
    if readout.failed:
        return FourChecks("open", gettext("Guardrails are not judged"), gettext("the data come first"))
    if broken:
        return FourChecks("bad", gettext("A guardrail was broken"), count)
    if len(safe) < len(rails):
        return FourChecks("open", gettext("Harm is not ruled out yet"), count)
    return FourChecks("good", gettext("No guardrail was broken"), count)


def _time(readout: Readout) -> FourChecks:
    reached, planned = days_run(readout), planned_days(readout)
    if planned is None:
        grounds = ngettext("%(num)s day so far", "%(num)s days so far", reached)
        state = "good" if readout.over else "open"
        claim = gettext("It has ended") if readout.over else gettext("No end was planned")
        return FourChecks(state, claim, grounds)
    grounds = gettext("%(reached)s of %(planned)s days", reached=reached, planned=planned)
    if reached >= planned:
        return FourChecks("good", gettext("It ran its full time"), grounds)
    if readout.over:
        return FourChecks("open", gettext("It ended before its planned time"), grounds)
    return FourChecks("open", gettext("It is still running"), grounds)


def planned_days(readout: Readout) -> int | None:
    """Days from the start to the planned end; None where no end was planned."""
    plan, end = readout.plan, readout.plan.planned_end
    if plan.days is not None:
        return plan.days
    if end is None or plan.starts is None or plan.closed:
        return None
    return max(1, (end - plan.starts).days)


def days_run(readout: Readout) -> int:
    """Days of the plan that have passed."""
    plan, end = readout.plan, readout.plan.planned_end
    if plan.starts is None:
        return len(readout.split)
    until: datetime = readout.as_of if end is None else min(readout.as_of, end)
    return max(0, (until - plan.starts).days)
