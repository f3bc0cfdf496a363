"""Methods and settings: the appendix that says exactly how the numbers came about."""

from collections.abc import Iterator

from analysis import Finding, Readout, Role
from analysis.plan import Correction
from web.wording import numbers
from web.wording.adjusting import adjustment_sentence, method_sentence
from web.wording.changes import difference_with_range
from web.wording.doubts import doubt_sentence
from web.wording.language import gettext, ngettext
from web.wording.legibility import legible
from web.wording.limits import limit_sentence
from web.wording.names import Names, clipped
from web.wording.readings import if_nothing_changed

Term = tuple[str, str] | tuple[str, str, str]
"""A name, a text, and where there is one the method that computed it."""


def methods_of(readout: Readout, names: Names) -> tuple[Term, ...]:
    """List what was planned and how it was computed."""
    return (*_plan(readout, names), *_computing(readout), *_data(readout, names))


def interval_note(readout: Readout) -> str:
    """Say once, above the table, what the intervals are."""
    level = numbers.percent(readout.plan.confidence, _level_decimals(readout.plan.confidence))
    if readout.plan.inference == "fixed":
        told = gettext("%(level)s intervals, for one look at the planned end", level=level)
    else:
        told = gettext("%(level)s intervals, valid at every look", level=level)
    if any(finding.variance_reduction is not None for finding in readout.comparisons):
        return gettext("%(intervals)s, adjusted for variance (CUPED)", intervals=told)
    return told


def detail(readout: Readout, names: Names, finding: Finding) -> tuple[Term, ...]:
    """List the exact numbers of one comparison."""
    units = gettext(
        "%(treatment)s in the treatment, %(control)s in the control",
        treatment=numbers.whole(finding.treatment_n),
        control=numbers.whole(finding.control_n),
    )
    limit = limit_sentence(finding)
    guard = [(gettext("Harm limit"), limit)] if limit else []
    doubts = [(gettext("Caution"), doubt_sentence(flag), str(flag.kind)) for flag in finding.flags]
    told = (
        *_difference(readout, names, finding),
        *guard,
        *_evidence(finding),
        *_company(finding),
        *_alternatives(readout, finding),
        *doubts,
    )
    return ((gettext("Units"), units), *told)


def _company(finding: Finding) -> Iterator[Term]:
    """What stands beside a comparison and decides nothing: parts, other tests, what adjusting gained."""
    if finding.variance_reduction is not None:
        told = adjustment_sentence(finding.variance_reduction)
        yield gettext("Adjusted for what was known before"), told
    for part in finding.parts:
        words = "–"
        if part.lift is not None:
            ends = numbers.lift_range(part.lift)
            words = gettext("%(estimate)s (%(ends)s)", estimate=numbers.lift(part.lift), ends=ends)
        yield gettext("Of it: %(name)s", name=clipped(legible(part.name))), words
    for other in finding.beside:
        told = numbers.p_equals(other.p_value)
        limited = other.method == "noninferiority"
        yield gettext("Against the harm limit") if limited else gettext("Another test"), told, other.method


def _alternatives(readout: Readout, finding: Finding) -> Iterator[Term]:
    """What the comparison would have said, had one choice been made differently."""
    if finding.segment is not None:
        return
    for each in readout.alternatives:
        if (each.metric, each.variant) == (finding.metric, finding.variant):
            lift = "–" if each.lift is None else numbers.lift(each.lift)
            ends = "–" if each.lift is None else numbers.lift_range(each.lift)
            words = gettext("%(estimate)s (%(ends)s)", estimate=lift, ends=ends)
            kept = gettext("the reading stays") if each.agrees else gettext("the reading would change")
            yield _choice(each.choice), gettext("%(change)s: %(kept)s", change=words, kept=kept)


def _choice(name: str) -> str:
    words = {
        "unadjusted": gettext("Without the adjustment"),
        "uncapped": gettext("Without the cap"),
        "without_largest": gettext("Without the largest unit"),
    }
    return words.get(name, name.replace("_", " "))


def _difference(readout: Readout, names: Names, finding: Finding) -> Iterator[Term]:
    if finding.difference is not None:
        yield gettext("Absolute change"), difference_with_range(readout, names, finding)


def _evidence(finding: Finding) -> Iterator[Term]:
    if finding.p_value is None or finding.confidence is None:
        return
    level = numbers.tick_share(round(finding.confidence, 4))
    yield gettext("Level of its interval"), gettext("%(level)s, after the correction", level=level)
    yield gettext("p-value"), numbers.p_value(finding.p_value), finding.method or ""
    if finding.p_value_adjusted is not None and finding.p_value_adjusted != finding.p_value:
        yield gettext("p-value, corrected"), numbers.p_value(finding.p_value_adjusted)
    yield gettext("In words"), if_nothing_changed(finding.p_value, inference=finding.inference)


def _plan(readout: Readout, names: Names) -> Iterator[Term]:
    plan = readout.plan
    level = _level_decimals(plan.confidence)
    yield gettext("Confidence"), numbers.percent(plan.confidence, level)
    yield gettext("Looks"), _inference(readout), plan.inference
    yield gettext("Correction"), _correction(plan.correction), _CORRECTIONS.get(plan.correction, "")
    weights = sum(plan.weights.values())
    split = [
        f"{names.variant(key)}{numbers.NO_BREAK}{numbers.tick_share(round(each / weights, 3))}"
        for key, each in plan.weights.items()
    ]
    yield gettext("Planned split"), gettext(", ").join(split)
    if plan.mde is not None:
        yield gettext("Smallest change worth detecting"), numbers.tick_share(plan.mde)
    if plan.size is not None:
        yield gettext("Planned size"), gettext("%(count)s units", count=numbers.whole(plan.size))
    if plan.days is not None:
        yield gettext("Planned length"), ngettext("%(num)s day", "%(num)s days", plan.days)


_CORRECTIONS = {Correction.HOLM: "holm", Correction.BENJAMINI_HOCHBERG: "benjamini_hochberg"}


def _inference(readout: Readout) -> str:
    words = {
        "fixed": gettext("Fixed horizon: one look, at the planned end."),
        "sequential": gettext("Sequential: valid at every look up to the planned size."),
        "always_valid": gettext("Always valid: valid at every look, however long it runs."),
        "group_sequential": gettext("Group sequential: valid at the looks that were registered."),
        "bayesian": gettext("Bayesian: what to believe after the data; it promises no error rate."),
    }
    return words.get(readout.plan.inference, readout.plan.inference)


def _correction(correction: Correction) -> str:
    words = {
        Correction.HOLM: gettext(
            "Holm over primary metrics and treatments; secondary metrics by false discovery."
        ),
        Correction.BENJAMINI_HOCHBERG: gettext("False discovery rate (Benjamini and Hochberg)."),
        Correction.NONE: gettext("None: each comparison stands for itself."),
    }
    return words[correction]


def _computing(readout: Readout) -> Iterator[Term]:
    yield gettext("Difference"), gettext("Difference of means with unequal variances (Welch)."), "welch"
    yield (
        gettext("Relative change"),
        gettext("Relative to the control, interval by Fieller's theorem."),
        "fieller",
    )
    adjusted = method_sentence(readout.comparisons)
    if adjusted:
        yield gettext("Adjustment"), adjusted, "cuped"
    if readout.interactions:
        text = gettext("Corrected together by false discovery; Cochran's Q says whether effects differ.")
        yield gettext("Segments"), text, "heterogeneity"
    if any(metric.role is Role.GUARDRAIL for metric in readout.plan.metrics):
        yield gettext("Guardrails"), gettext("Safe when the whole interval lies inside the harm limit.")
    check = readout.check("srm")
    if check is not None and check.p_value is not None:
        text = gettext("Chi-square against the planned split, %(p)s.", p=numbers.p_equals(check.p_value))
        yield gettext("Split check"), text, "srm"


def _data(readout: Readout, names: Names) -> Iterator[Term]:
    gap = numbers.NO_BREAK
    counts = [f"{names.variant(key)}{gap}{numbers.whole(n)}" for key, n in readout.units.items()]
    yield gettext("Units analysed"), gettext(", ").join(counts)
    crossed, marked = readout.excluded.get("crossover", 0), readout.excluded.get("override", 0)
    left_out = gettext(
        "%(crossed)s seen in two variants, %(marked)s marked as tests",
        crossed=numbers.whole(crossed),
        marked=numbers.whole(marked),
    )
    yield gettext("Left out"), left_out
    waiting = {key: count for key, count in readout.immature.items() if count}
    if waiting:
        told = [f"{names.metric(key)} {numbers.whole(count)}" for key, count in waiting.items()]
        yield gettext("Window not passed yet"), gettext(", ").join(told)
    if readout.data_through is not None:
        yield gettext("Newest record"), numbers.moment(readout.data_through)
    yield gettext("Computed"), numbers.moment(readout.as_of)
    yield gettext("Version"), readout.version


def _level_decimals(confidence: float) -> int:
    return 0 if round(confidence * 100, 6).is_integer() else 1
