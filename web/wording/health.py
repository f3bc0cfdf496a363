"""Health: every check on the data with its result, its threshold, and what to do when it fails."""

from collections.abc import Callable
from dataclasses import dataclass

from analysis import Readout
from analysis.readout import DataCheck, Mix, StageCheck
from web.wording import numbers
from web.wording.language import gettext, ngettext
from web.wording.legibility import legible
from web.wording.names import Names, clipped
from web.wording.readings import Chip
from web.wording.tables import Table

SPLIT_LEVEL = 0.001
CROSSOVER_LIMIT = 0.01


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
    head = (gettext("Step"), *(names.variant(each) for each in variants), gettext("Split"))
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
    words["p"] = numbers.p_value(mix.p_value)
    if mix.passed:
        return gettext("%(segment)s is spread alike in all variants (p = %(p)s).", **words)
    return gettext(
        "%(segment)s is spread differently between the variants (p = %(p)s). It is fixed before the "
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
        word = gettext("as planned") if stage.passed else gettext("not as planned")
        split = gettext("%(word)s, p = %(p)s", word=word, p=numbers.p_value(stage.p_value))
    counts = (numbers.whole(stage.units.get(name, 0)) for name in variants)
    return (stage_word(stage.name), *counts, split)


def _share(counts: object, name: str, totals: dict[str, int]) -> str:
    count = counts.get(name, 0) if hasattr(counts, "get") else 0
    share = numbers.percent(count / totals[name], 1) if totals[name] else "–"
    return gettext("%(count)s (%(share)s)", count=numbers.whole(count), share=share)


def _diagnosis(check: DataCheck, names: Names) -> Diagnosis:
    title, threshold, advice = _words(check.name)
    return Diagnosis(check.name, title, _chip(check), _result(check, names), threshold, advice)


def _chip(check: DataCheck) -> Chip:
    if check.passed:
        return Chip("safe", "✓", gettext("Passed"))
    if check.advisory:
        return Chip("quiet", "●", gettext("Look"))
    return Chip("worse", "✗", gettext("Failed"))


def _words(name: str) -> tuple[str, str, str]:
    """Title, threshold and advice of a check; one that is not known by name still has its numbers."""
    level = numbers.number(SPLIT_LEVEL, 3)
    chance = gettext("p of at least %(level)s", level=level)
    known: dict[str, Callable[[], tuple[str, str, str]]] = {
        "srm": lambda: (
            gettext("Split between the variants"),
            chance,
            gettext("Look for the first day, platform or step whose split is off; the fault lies there."),
        ),
        "crossover": lambda: (
            gettext("Units seen in two variants"),
            gettext("at most %(limit)s", limit=numbers.percent(CROSSOVER_LIMIT)),
            gettext("Check that the unit's id stays the same at sign-in and on every device."),
        ),
        "exposures": lambda: (
            gettext("Units have arrived"),
            gettext("at least one"),
            gettext("Check that a program asks for the variant with a server key, or sends the exposure."),
        ),
        "metrics": lambda: (
            gettext("Primary metrics are recorded"),
            gettext("an event in some variant"),
            gettext("Compare the event's name in the metric with the name that is sent."),
        ),
        "pre_period": lambda: (
            gettext("Groups were alike before the start"),
            chance,
            gettext("The groups differed before anything was changed: the assignment or a join is broken."),
        ),
        "late_data": lambda: (
            gettext("Late events"),
            gettext("few"),
            gettext("Wait until the newest days have filled up before reading them."),
        ),
    }
    found = known.get(name)
    return found() if found else (legible(name).replace("_", " "), "", "")


def _result(check: DataCheck, names: Names) -> str:
    if check.name == "metrics":
        keys = [key.strip() for key in check.detail.split(",") if key.strip()]
        silent = numbers.listed([names.metric(key) for key in keys])
        return gettext("nothing counted for %(names)s", names=silent) if silent else gettext("all counted")
    if check.name == "exposures":
        return gettext("%(count)s units", count=numbers.whole(sum((check.observed or {}).values())))
    if check.name == "crossover":
        return numbers.percent(check.statistic or 0.0, 2)
    if check.p_value is not None:
        return gettext("p = %(p)s", p=numbers.p_value(check.p_value))
    if check.detail:
        return clipped(legible(check.detail))
    return "–" if check.statistic is None else numbers.number(check.statistic, 3)


def quality_terms(readout: Readout, names: Names) -> tuple[tuple[str, str], ...]:
    """List what is known of the records behind the numbers."""
    quality = readout.quality
    if not quality.exposures and not quality.events:
        return ()
    late = quality.late / quality.events if quality.events else 0.0
    unreadable = [f"{names.metric(key)} {numbers.whole(n)}" for key, n in quality.unreadable.items() if n]
    told = [
        (gettext("Exposures looked at"), numbers.whole(quality.exposures)),
        (gettext("Events looked at"), numbers.whole(quality.events)),
        (
            gettext("Came more than a day late"),
            gettext(
                "%(count)s (%(share)s)", count=numbers.whole(quality.late), share=numbers.percent(late, 1)
            ),
        ),
        (gettext("Of a moment that has not come"), numbers.whole(quality.future)),
        (gettext("Variant is not the one the rules give"), numbers.whole(quality.mismatched)),
    ]
    if unreadable:
        told.append((gettext("Values that could not be read"), numbers.listed(unreadable)))
    return tuple(told)
