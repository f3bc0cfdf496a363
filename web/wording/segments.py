"""Segments: who reacted how, and whether the groups differ more than chance explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis import Finding, Readout, Role
from analysis.plan import Correction
from analysis.readout import Interaction
from web.wording import numbers
from web.wording.language import gettext
from web.wording.legibility import legible
from web.wording.names import Names, clipped
from web.wording.readings import Chip, chip_of, findings_in, split_segment, tone_of


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One value of a segment, as written."""

    name: str
    variant: str
    units: str
    told_units: str
    change: str
    interval: str
    chip: Chip
    tone: str
    finding: Finding


def segment_lines(readout: Readout, names: Names, *, metric: str) -> tuple[SegmentLine, ...]:
    """List a metric's comparisons by segment."""
    several = len(readout.plan.treatments) > 1
    return tuple(
        SegmentLine(
            names.segment(*split_segment(finding.segment)),
            names.variant(finding.variant) if several else "",
            numbers.whole(finding.treatment_n + finding.control_n),
            gettext("%(count)s units", count=numbers.whole(finding.treatment_n + finding.control_n)),
            "–" if finding.lift is None else numbers.lift(finding.lift),
            _interval(finding),
            chip_of(readout, finding),
            tone_of(readout, finding),
            finding,
        )
        for finding in readout.comparisons
        if finding.segment is not None and finding.metric == metric
    )


def segment_choices(readout: Readout, names: Names) -> tuple[tuple[str, str], ...]:
    """Every value of a planned segment that something was counted in, and what to call its units."""
    found = dict.fromkeys(finding.segment for finding in readout.comparisons if finding.segment is not None)
    return tuple((each, names.segment(*split_segment(each))) for each in found)


def segment_sentences(readout: Readout, names: Names, segment: str) -> Iterator[str]:
    """Say whom a look at one segment shows, what it is good for, and whether its groups differ."""
    name, value = split_segment(segment)
    words = {
        "segment": names.segment(name, value),
        "count": numbers.whole(_units_in(findings_in(readout, segment))),
        "all": numbers.whole(sum(readout.units.values())),
    }
    if name not in readout.plan.segments:
        yield gettext(
            "%(segment)s, %(count)s of %(all)s units. Nobody planned this segment, so this is exploration: "
            "use it for ideas, not for decisions.",
            **words,
        )
    elif readout.plan.correction is Correction.NONE:
        yield gettext(
            "%(segment)s, %(count)s of %(all)s units. The segment was planned before the start, but nothing "
            "is corrected for looking at several groups, as the plan says. It explains; the recommendation "
            "stands on all units.",
            **words,
        )
    else:
        yield gettext(
            "%(segment)s, %(count)s of %(all)s units. The segment was planned before the start, and its "
            "intervals and p-values are corrected together with those of every other segment. They explain; "
            "the recommendation stands on all units.",
            **words,
        )
    goals = {each.key for each in readout.plan.metrics if each.role is Role.PRIMARY}
    for each in readout.interactions:
        if each.segment == name and (each.metric in goals or each.differs):
            yield interaction_sentence(readout, names, each)


def interaction_sentences(readout: Readout, names: Names, *, metric: str | None = None) -> Iterator[str]:
    """Say for each segment whether its groups differ; the warning belongs to the sentence."""
    for each in readout.interactions:
        if metric is None or each.metric == metric:
            yield interaction_sentence(readout, names, each)


def interaction_sentence(readout: Readout, names: Names, interaction: Interaction) -> str:
    """Say whether an effect differs between the values of a segment."""
    words = {"segment": clipped(legible(interaction.segment)), "metric": names.metric(interaction.metric)}
    if len(readout.plan.treatments) > 1:
        words["metric"] = f"{words['metric']} · {names.variant(interaction.variant)}"
    if interaction.p_value is None:
        return gettext("%(metric)s by %(segment)s: too few units to compare the groups.", **words)
    p_value = interaction.p_value if interaction.p_value_adjusted is None else interaction.p_value_adjusted
    words["p"] = numbers.p_equals(p_value)
    if interaction.differs:
        return gettext(
            "%(metric)s by %(segment)s: the groups differ by more than chance would explain (interaction "
            "%(p)s). It is a lead for the next experiment, not a result of this one.",
            **words,
        )
    return gettext(
        "%(metric)s by %(segment)s: the groups do not differ more than chance would explain (interaction "
        "%(p)s). Do not ship to one group only on this evidence.",
        **words,
    )


def _units_in(findings: Sequence[Finding]) -> int:
    """Units of all variants; of a metric whose window has passed for fewer of them there are fewer."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.metric] = counts.get(finding.metric, finding.control_n) + finding.treatment_n
    return max(counts.values(), default=0)


def _interval(finding: Finding) -> str:
    if finding.not_estimable is not None or finding.lift is None:
        return gettext("too few units")
    return numbers.lift_range(finding.lift)
