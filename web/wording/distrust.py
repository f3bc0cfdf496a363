"""Distrust: what replaces the verdict when the data cannot be trusted."""

from collections.abc import Callable

from analysis.readout import DataCheck, Readout
from web.wording import numbers
from web.wording.language import gettext
from web.wording.names import Names


def word_distrust(readout: Readout, names: Names) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Word failed checks: a headline, sentences, and the usual causes."""
    failed = readout.failed
    if any(check.name == "exposures" for check in failed):
        return (
            gettext("Nothing to read yet."),
            (gettext("No unit has met this experiment so far."),),
            _missing_causes(),
        )
    told: dict[str, Callable[[DataCheck], str]] = {
        "srm": lambda check: wrong_split(check, names),
        "crossover": _crossed,
        "metrics": lambda check: _silent(check, names),
    }
    sentences = tuple(told[check.name](check) for check in failed if check.name in told)
    causes = [cause for check in failed for cause in _CAUSES.get(check.name, _no_causes)()]
    return gettext("Do not read these results yet."), sentences, tuple(causes)


def wrong_split(check: DataCheck, names: Names) -> str:
    """Name the variant whose share is furthest from the plan."""
    observed, expected = check.observed or {}, check.expected or {}
    total = sum(observed.values())
    if not total or not expected:
        return gettext("The split is not as planned.")
    name = max(expected, key=lambda key: abs(observed[key] - expected[key]))
    return gettext(
        "%(name)s received %(share)s of the units instead of %(planned)s. A split this uneven would appear "
        "in fewer than 1 of %(base)s sound experiments, so the groups differ by more than the change.",
        name=names.variant(name),
        share=numbers.percent(observed[name] / total, 1),
        planned=numbers.percent(expected[name] / total, 1),
        base=numbers.whole(1_000),
    )


def observed_split(readout: Readout, names: Names) -> tuple[tuple[str, str, str, str], ...]:
    """List observed against planned shares, where the split is wrong."""
    check = readout.check("srm")
    if check is None or check.passed or not check.observed or not check.expected:
        return ()
    total = sum(check.observed.values())
    return tuple(
        (
            names.variant(name),
            numbers.whole(check.observed[name]),
            numbers.percent(check.observed[name] / total, 1),
            numbers.percent(expected / total, 1),
        )
        for name, expected in check.expected.items()
    )


def _crossed(check: DataCheck) -> str:
    return gettext(
        "%(share)s of the units were seen in more than one variant, so the groups are mixed.",
        share=numbers.percent(check.statistic or 0.0, 1),
    )


def _silent(check: DataCheck, names: Names) -> str:
    metrics = numbers.listed([names.metric(key.strip()) for key in check.detail.split(",")])
    return gettext("Not one event has been counted for %(metrics)s.", metrics=metrics)


def _no_causes() -> list[str]:
    return []


def _split_causes() -> list[str]:
    return [
        gettext("One variant redirects, crashes or loads later, so some of its units are never logged."),
        gettext("Bots or internal visits are filtered in one variant only."),
        gettext("The exposure is logged at a different place in each variant."),
        gettext("The weights or the targeting were changed while it ran."),
    ]


def _crossed_causes() -> list[str]:
    return [
        gettext("The unit's id changes, for instance at sign-in or on another device."),
        gettext("Another system also assigns variants for the same experiment."),
    ]


def _silent_causes() -> list[str]:
    return [
        gettext("The event's name in the metric differs from the name that is sent."),
        gettext("Events carry another id than exposures do."),
    ]


def _missing_causes() -> tuple[str, ...]:
    return (
        gettext("The experiment has not been started, or nothing asks for its variant."),
        gettext("The program that asks uses a client key and sends no exposure."),
    )


_CAUSES: dict[str, Callable[[], list[str]]] = {
    "srm": _split_causes,
    "crossover": _crossed_causes,
    "metrics": _silent_causes,
}
