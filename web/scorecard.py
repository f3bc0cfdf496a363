"""The scorecard: the lines of "What changed", from which both the table and its canvas are made.

Heights are in pixels and stand here once; the stylesheet repeats them, and a browser test compares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from analysis import Finding, Readout, Role
from web.wording import Chip, Names, chip_of, numbers, tone_of
from web.wording.changes import levels_of
from web.wording.language import gettext
from web.wording.readings import findings_in, not_estimable

HEADER_HEIGHT = 44
HEIGHTS = {"role": 38, "metric": 40, "comparison": 56}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes
    ----------
    kind
        ``role`` and ``metric`` are headings; ``comparison`` carries numbers.
    name, note
        What the line is about, and a short addition in grey.
    """

    kind: str
    name: str
    note: str = ""
    control: str = ""
    treatment: str = ""
    change: str = ""
    interval: str = ""
    chip: Chip | None = None
    tone: str = "quiet"
    finding: Finding | None = None
    metric: str = ""

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return HEIGHTS[self.kind]


def lines_of(
    readout: Readout, names: Names, *, metric: str = "", segment: str | None = None
) -> tuple[Line, ...]:
    """Lay out comparisons by role, then by metric, then by treatment.

    Parameters
    ----------
    metric
        The one asked for; otherwise all of them.
    segment
        Over the units with this value of a segment; otherwise over all units.
    """
    asked = [each for each in findings_in(readout, segment) if metric in ("", each.metric)]
    return tuple(_lines(readout, names, asked))


def _lines(readout: Readout, names: Names, asked: Sequence[Finding]) -> Iterator[Line]:
    several = len(readout.plan.treatments) > 1
    order = [Role.PRIMARY, Role.GUARDRAIL, Role.SECONDARY]
    findings = sorted(asked, key=lambda finding: order.index(finding.role))
    for role, of_role in groupby(findings, key=lambda finding: finding.role):
        yield _role(role)
        for _, of_metric in groupby(of_role, key=lambda finding: finding.metric):
            group = list(of_metric)
            if several:
                yield _heading(readout, names, group[0])
            for finding in group:
                yield _comparison(readout, names, finding, several=several)


def _role(role: Role) -> Line:
    words = {
        Role.PRIMARY: (gettext("Primary metric"), gettext("decides")),
        Role.GUARDRAIL: (gettext("Guardrails"), gettext("must not get worse")),
        Role.SECONDARY: (gettext("Secondary metrics"), gettext("for understanding")),
    }
    return Line("role", *words[role])


def _heading(readout: Readout, names: Names, finding: Finding) -> Line:
    note = gettext("in %(name)s", name=names.variant(finding.control))
    control = levels_of(readout, names, finding).control
    return Line("metric", names.metric(finding.metric), note, control=control, metric=finding.metric)


def _comparison(readout: Readout, names: Names, finding: Finding, *, several: bool) -> Line:
    levels = levels_of(readout, names, finding)
    return Line(
        "comparison",
        names.variant(finding.variant) if several else names.metric(finding.metric),
        note=names.long_variant(finding.variant) if several else "",
        control=levels.control,
        treatment=levels.treatment,
        change=_change(finding),
        interval=_interval(finding),
        chip=chip_of(readout, finding),
        tone=tone_of(readout, finding),
        finding=finding,
        metric=finding.metric,
    )


def _change(finding: Finding) -> str:
    return "–" if finding.lift is None else numbers.lift(finding.lift)


def _interval(finding: Finding) -> str:
    if finding.not_estimable is not None:
        return not_estimable(finding.not_estimable)
    if finding.lift is None:
        return gettext("the control is zero")
    return numbers.lift_range(finding.lift)
