"""Health: every check on the data with its result, its threshold, and what to do when it fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from analysis import Readout
from analysis.readout import DataCheck, Mix, StageCheck
from web.wording import numbers
from web.wording.advice import check_words
from web.wording.language import gettext, ngettext
from web.wording.legibility import legible
from web.wording.names import Names, clipped
from web.wording.readings import Chip
from web.wording.tables import Table


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One check in words."""

    name: str
    title: str
    chip: Chip
    result: str
    threshold: str
    advice: str


def diagnose(readout: Readout, names: Names) -> tuple[Diagnosis, ...]:
    """Word every check of a readout, the failed ones first."""
    order = ("worse", "quiet", "safe")
    worded = [_diagnosis(check, names) for check in readout.checks]
    return tuple(sorted(worded, key=lambda each: order.index(each.chip.tone)))


def health_sentence(readout: Readout) -> str:
    """One line above all checks."""
    failed = readout.failed
    if any(check.name == "exposures" for check in failed):
        return gettext("No unit has met this experiment so far.")
    if not failed and readout.advice:
        return ngettext(
            "The data can be trusted. One check asks for a look.",
            "The data can be trusted. %(num)s checks ask for a look.",
            len(readout.advice),
        )
    if not failed:
        return ngettext(
            "The check passed: the data can be trusted.",
            "All %(num)s checks passed: the data can be trusted.",
            len(readout.checks),
        )
    return ngettext(
        "A check failed: do not read the results before it is explained.",
        "%(num)s checks failed: do not read the results before they are explained.",
        len(failed),
    )


def stages_table(readout: Readout, names: Names) -> Table | None:
    """From what was recorded to what is analysed: how many units are left after each step."""
    if not readout.stages:
        return None
    variants = list(readout.plan.weights)
    head = (gettext("Step"), *(names.variant(each) for each in variants), gettext("Split as planned"))
    return Table(
        gettext("From recorded to analysed"),
        head,
        tuple(_stage(stage, variants) for stage in readout.stages),
    )


def mix_table(mix: Mix, readout: Readout, names: Names) -> Table:
    """How the values of a segment are spread in each variant."""
    variants = list(readout.plan.weights)
    totals = {name: sum(counts.get(name, 0) for counts in mix.units.values()) for name in variants}
    head = (clipped(legible(mix.segment)), *(names.variant(each) for each in variants))
    rows = [
        (clipped(legible(value)) or gettext("unknown"), *(_share(counts, name, totals) for name in variants))
        for value, counts in mix.units.items()
    ]
    return Table(gettext("Mix of %(segment)s by variant", segment=head[0]), head, tuple(rows))


def mix_sentence(mix: Mix) -> str:
    """Say whether a segment is spread alike."""
    words = {"segment": clipped(legible(mix.segment))}
    if mix.p_value is None:
        return gettext("%(segment)s: too few units to compare the mix.", **words)
    words["p"] = numbers.p_equals(mix.p_value)
    if mix.passed:
        return gettext("%(segment)s is spread alike in all variants (%(p)s).", **words)
    return gettext(
        "%(segment)s is spread differently between the variants (%(p)s). It is fixed before the "
        "exposure, so look for a fault in the split or in the recording.",
        **words,
    )


def stage_word(name: str) -> str:
    """Name a step from recorded to analysed."""
    words = {
        "recorded": gettext("Recorded"),
        "exposed": gettext("Exposed in this phase"),
        "not_override": gettext("Not marked as a test"),
        "not_bot": gettext("Not a bot"),
        "not_crossed": gettext("Seen in one variant only"),
        "matured": gettext("Time window passed"),
    }
    return words.get(name, name)


def _stage(stage: StageCheck, variants: list[str]) -> tuple[str, ...]:
    if stage.p_value is None:
        split = "–"
    else:
        told = numbers.p_equals(stage.p_value)
        split = f"✓ {told}" if stage.passed else f"✗ {told}"
    counts = (numbers.whole(stage.units.get(name, 0)) for name in variants)
    return (stage_word(stage.name), *counts, split)


def _share(counts: object, name: str, totals: dict[str, int]) -> str:
    count = counts.get(name, 0) if hasattr(counts, "get") else 0
    share = numbers.percent(count / totals[name], 1) if totals[name] else "–"
    return gettext("%(count)s (%(share)s)", count=numbers.whole(count), share=share)


def _diagnosis(check: DataCheck, names: Names) -> Diagnosis:
    title, threshold, advice = check_words(check.name)
    return Diagnosis(check.name, title, _chip(check), _result(check, names), threshold, advice)


def _chip(check: DataCheck) -> Chip:
    if check.passed:
        return Chip("safe", "✓", gettext("Passed"))
    if check.advisory:
        return Chip("quiet", "●", gettext("Worth a look"))
    return Chip("worse", "✗", gettext("Failed"))


def _result(check: DataCheck, names: Names) -> str:
    """What was found, and where."""
    found = _found(check)
    where = _where(check, names)
    if not where:
        return found
    return gettext("%(where)s: %(found)s", where=where, found=found) if found else where


def _found(check: DataCheck) -> str:
    match check.name:
        case "metrics" | "silent_metrics":
            return gettext("nothing counted") if check.detail else gettext("all counted")
        case "exposures":
            return gettext("%(count)s units", count=numbers.whole(sum((check.observed or {}).values())))
        case "future":
            return numbers.whole(sum((check.observed or {}).values()))
        case "unreadable":
            return numbers.whole(sum((check.observed or {}).values()))
        case "sensitivity":
            return gettext("the reading would change") if check.detail else gettext("the reading stays")
        case "late_data" | "mismatched":
            return _counted_of(check)
        case "crossover" | "arrivals":
            return numbers.percent(check.statistic or 0.0, 2)
    if check.p_value is not None:
        return numbers.p_equals(check.p_value)
    return "" if check.statistic is None else numbers.number(check.statistic, 3)


def _counted_of(check: DataCheck) -> str:
    """So many of so many records, and their share."""
    some, whole = (numbers.whole(each) for each in [*(check.observed or {}).values(), 0, 0][:2])
    share = numbers.percent(check.statistic or 0.0, 2)
    return gettext("%(some)s of %(all)s (%(share)s)", some=some, all=whole, share=share)


def _where(check: DataCheck, names: Names) -> str:
    """The place that a check names: a day, a step, a segment, metrics with their variants."""
    parts = [part.strip() for part in check.detail.split(",") if part.strip()]
    match check.name:
        case "srm":
            return ""
        case "srm_segments":
            segment, _, value = check.detail.partition("=")
            return names.segment(segment, value) if check.detail else ""
        case "srm_stages":
            return stage_word(check.detail) if check.detail else ""
        case "srm_daily" | "srm_sequential" | "arrivals":
            return numbers.listed([_day(part) for part in parts])
        case "metrics" | "silent_metrics" | "unreadable":
            return numbers.listed([names.metric(part) for part in parts])
        case "pre_period" | "sensitivity":
            return numbers.listed([_comparison(part, names) for part in parts[:3]])
    return clipped(legible(check.detail))


def _comparison(place: str, names: Names) -> str:
    metric, variant, *_ = [*place.split(":"), "", ""]
    return f"{names.metric(metric)} · {names.variant(variant)}" if variant else names.metric(metric)


def _day(text: str) -> str:
    try:
        return numbers.day(date.fromisoformat(text))
    except ValueError:
        return clipped(legible(text))


def _share_of(title: str, count: int | None, whole: int) -> Iterator[tuple[str, str]]:
    """A line about some of the records; none where it is not known of any."""
    if count is not None and whole:
        share = numbers.percent(count / whole, 1)
        yield title, gettext("%(count)s (%(share)s)", count=numbers.whole(count), share=share)


def quality_terms(readout: Readout, names: Names) -> tuple[tuple[str, str], ...]:
    """List what is known of the records behind the numbers."""
    quality = readout.quality
    if not quality.exposures and not quality.events:
        return ()
    unreadable = [f"{names.metric(key)} {numbers.whole(n)}" for key, n in quality.unreadable.items() if n]
    told = [
        (gettext("Exposures looked at"), numbers.whole(quality.exposures)),
        (gettext("Events looked at"), numbers.whole(quality.events)),
        *_share_of(gettext("Came more than a day late"), quality.late, quality.events),
        (gettext("Of a moment that has not come"), numbers.whole(quality.future)),
        *_share_of(gettext("Variant is not the one the rules give"), quality.mismatched, quality.exposures),
    ]
    if unreadable:
        told.append((gettext("Values that could not be read"), numbers.listed(unreadable)))
    return tuple(told)
