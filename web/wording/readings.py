"""Readings: one comparison as a chip, with a shape and a word, and as a sentence."""

from dataclasses import dataclass

from analysis import Finding, Interval, Reading, Readout, Recommendation, Role
from web.wording import numbers
from web.wording.language import gettext
from web.wording.names import Names


@dataclass(frozen=True, slots=True)
class Chip:
    """A short state: tone for the colour, symbol and word for everybody."""

    tone: str
    symbol: str
    word: str


def overall(readout: Readout) -> tuple[Finding, ...]:
    """The comparisons over all units; those of segments explain and never decide."""
    return findings_in(readout, None)


def findings_in(readout: Readout, segment: str | None) -> tuple[Finding, ...]:
    """The comparisons over the units with one value of a segment; over all units where that is None."""
    return tuple(finding for finding in readout.comparisons if finding.segment == segment)


def split_segment(segment: str) -> tuple[str, str | None]:
    """Take a finding's segment apart: its name and its value, None where that is not known."""
    name, _, value = segment.partition("=")
    return name, value or None


def withholds(readout: Readout) -> bool:
    """Whether readings must wait: the plan allows one look, at its end, and that has not come."""
    return readout.plan.inference == "fixed" and not readout.over


def chip_of(readout: Readout, finding: Finding) -> Chip:
    """Say in a word what a comparison means."""
    if finding.reading is Reading.NOT_ESTIMABLE:
        return Chip("quiet", "–", gettext("Not estimable"))
    if readout.verdict.recommendation is Recommendation.DO_NOT_READ:
        return Chip("quiet", "–", gettext("Do not read"))
    if withholds(readout) and not _is_ground(readout, finding):
        return Chip("quiet", "●", gettext("Too early"))
    if finding.role is Role.GUARDRAIL and finding.reading is Reading.INCONCLUSIVE:
        return Chip("quiet", "●", gettext("Not ruled out"))
    return _CHIPS[finding.reading]()


def tone_of(readout: Readout, finding: Finding) -> str:
    """The tone of a comparison's mark: whether it moved for the better, for the worse, or cannot say.

    A safe guardrail may still have moved for the worse, inside its limit.
    """
    if chip_of(readout, finding).tone == "quiet" and finding.reading is not Reading.INCONCLUSIVE:
        return "quiet"
    if not finding.significant or finding.lift is None or _unreadable(readout):
        return "quiet"
    metric = next(each for each in readout.plan.metrics if each.key == finding.metric)
    return "better" if finding.lift.estimate * metric.direction.sign > 0 else "worse"


def inconclusive(difference: Interval, lift: Interval | None, *, as_share: bool) -> str:
    """Name what the data still fit."""
    if lift is not None and lift.bounded:
        decimals = numbers.lift_decimals(lift)
        fall, rise = numbers.percent(abs(lift.low), decimals), numbers.percent(abs(lift.high), decimals)
    else:
        fall, rise = (
            points(abs(difference.low), as_share=as_share),
            points(difference.high, as_share=as_share),
        )
    return gettext(
        "Not conclusive: the data fit both a fall of %(fall)s and a rise of %(rise)s.", fall=fall, rise=rise
    )


def points(value: float, *, as_share: bool) -> str:
    """Write an absolute change: points of per cent for a share, plain otherwise."""
    if not as_share:
        return numbers.number(value, numbers.decimals_of(value, digits=2))
    decimals = numbers.decimals_of(value * 100, digits=2, most=3)
    return gettext("%(number)s points", number=numbers.number(value * 100, decimals))


def not_estimable(cause: str) -> str:
    """Say why a number cannot be given."""
    reasons = {
        "no_units": gettext("no unit has been exposed"),
        "too_few_units": gettext("a variant has fewer than two units"),
        "no_variation": gettext("every unit has the same value so far"),
        "not_finite": gettext("the values are too large to compute with"),
        "not_matured": gettext("no unit's time window has passed yet"),
        "zero_denominator": gettext("the denominator is zero"),
        "too_few_events": gettext("too few events so far"),
        "too_few_clusters": gettext("too few groups of units"),
        "collinear": gettext("the adjustments repeat each other"),
    }
    return reasons.get(cause, cause)


def if_nothing_changed(p_value: float, *, inference: str | None) -> str:
    """Word a p-value as what would happen in a world without the change."""
    if p_value < 0.001:
        count, of = gettext("fewer than 1"), numbers.whole(1_000)
    elif p_value < 0.095:
        count, of = numbers.number(p_value * 100, 0 if p_value >= 0.0095 else 1), numbers.whole(100)
    elif p_value < 0.95:
        count, of = numbers.whole(max(1, p_value * 10)), numbers.whole(10)
    else:
        count, of = gettext("more than 9"), numbers.whole(10)
    if inference == "fixed":
        return gettext(
            "If nothing had changed, a difference this large would appear in %(count)s of %(of)s "
            "experiments.",
            count=count,
            of=of,
        )
    return gettext(
        "If nothing had changed, a difference this large would appear at some look in %(count)s of %(of)s "
        "experiments.",
        count=count,
        of=of,
    )


def heading(names: Names, finding: Finding) -> str:
    """Name a comparison."""
    told = gettext(
        "%(metric)s: %(treatment)s against %(control)s",
        metric=names.metric(finding.metric),
        treatment=names.variant(finding.variant),
        control=names.variant(finding.control),
    )
    return told if finding.segment is None else f"{told} · {names.segment(*split_segment(finding.segment))}"


def _unreadable(readout: Readout) -> bool:
    return readout.verdict.recommendation is Recommendation.DO_NOT_READ


def _is_ground(readout: Readout, finding: Finding) -> bool:
    named = {(ground.metric, ground.variant) for ground in readout.verdict.grounds}
    return finding.segment is None and (finding.metric, finding.variant) in named


_CHIPS = {
    Reading.BETTER: lambda: Chip("better", "▲", gettext("Improved")),
    Reading.WORSE: lambda: Chip("worse", "▼", gettext("Got worse")),
    Reading.INCONCLUSIVE: lambda: Chip("quiet", "●", gettext("Not conclusive")),
    Reading.EQUIVALENT: lambda: Chip("quiet", "●", gettext("No relevant change")),
    Reading.SAFE: lambda: Chip("safe", "✓", gettext("Safe")),
    Reading.HARMFUL: lambda: Chip("worse", "▼", gettext("Beyond its limit")),
}
