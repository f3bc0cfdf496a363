"""The verdict in words: a recommendation, one sentence with the numbers, one in natural frequencies."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis import Finding, Reading, Readout, Recommendation, Role
from web.wording import numbers
from web.wording.changes import is_share, per_thousand, sentence_of
from web.wording.distrust import observed_split, word_distrust
from web.wording.language import gettext, joined, ngettext
from web.wording.limits import limit_text
from web.wording.names import Names
from web.wording.readings import overall


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What stands on the verdict card.

    Attributes
    ----------
    tone
        ``good``, ``bad``, ``wait`` or ``stop``: the card's colour, never its only sign.
    tag
        A short form for lists.
    causes
        Usual causes to look for, where the data cannot be trusted.
    split
        Where the split is wrong: each variant's name, units, observed and planned share.
    caution
        What a careful reader keeps in mind before acting.
    """

    tone: str
    tag: str
    headline: str
    sentences: tuple[str, ...] = ()
    frequency: str = ""
    causes: tuple[str, ...] = ()
    split: tuple[tuple[str, str, str, str], ...] = ()
    caution: str = ""


def conclude(readout: Readout, names: Names) -> Conclusion:
    """Word a readout's verdict."""
    match readout.verdict.recommendation:
        case Recommendation.DO_NOT_READ:
            headline, sentences, causes = word_distrust(readout, names)
            if not any(readout.units.values()):
                return Conclusion("wait", gettext("No data yet"), headline, sentences, causes=causes)
            split = observed_split(readout, names)
            tag = gettext("Do not read yet")
            return Conclusion("bad", tag, headline, sentences, causes=causes, split=split)
        case Recommendation.SHIP:
            return _ship(readout, names)
        case Recommendation.ROLL_BACK:
            return _roll_back(readout, names)
        case Recommendation.STOP:
            return _stop(readout, names)
        case Recommendation.KEEP_RUNNING:
            return _keep_running(readout, names)


def recommendation_word(recommendation: str, *, left_to_people: bool = False) -> str:
    """Name a recommendation, without the variant that it speaks of."""
    if left_to_people:
        return gettext("Your call")
    words = {
        Recommendation.SHIP: gettext("Ship"),
        Recommendation.ROLL_BACK: gettext("Roll back"),
        Recommendation.KEEP_RUNNING: gettext("Keep running"),
        Recommendation.STOP: gettext("Stop"),
        Recommendation.DO_NOT_READ: gettext("Do not read yet"),
    }
    return words.get(Recommendation(recommendation), recommendation)


def goal_of(readout: Readout, variant: str | None) -> Finding | None:
    """The finding that a verdict speaks of first: the first primary metric, of the variant it names."""
    primary = [finding for finding in overall(readout) if finding.role is Role.PRIMARY]
    named = [finding for finding in primary if finding.variant == variant]
    return next(iter(named or primary), None)


def beats(readout: Readout, names: Names) -> str:
    """Name every treatment that beat the control, where there is more than one treatment."""
    if len(readout.plan.treatments) < 2:
        return ""
    better: dict[str, list[str]] = {}
    for finding in overall(readout):
        if finding.role is Role.PRIMARY and finding.reading is Reading.BETTER:
            better.setdefault(finding.metric, []).append(names.variant(finding.variant))
    control = names.variant(readout.plan.control)
    several = len([each for each in readout.plan.metrics if each.role is Role.PRIMARY]) > 1
    return joined(
        *(
            _beat_on(numbers.listed(treatments), control, names.metric(metric), len(treatments))
            if several
            else _beat(numbers.listed(treatments), control, len(treatments))
            for metric, treatments in better.items()
        )
    )


def _beat(treatments: str, control: str, count: int) -> str:
    return ngettext(
        "%(treatments)s beats %(control)s.",
        "%(treatments)s beat %(control)s.",
        count,
        treatments=treatments,
        control=control,
    )


def _beat_on(treatments: str, control: str, metric: str, count: int) -> str:
    return ngettext(
        "%(treatments)s beats %(control)s on %(metric)s.",
        "%(treatments)s beat %(control)s on %(metric)s.",
        count,
        treatments=treatments,
        control=control,
        metric=metric,
    )


def _ship(readout: Readout, names: Names) -> Conclusion:
    variant = readout.verdict.variant or ""
    name = names.variant(variant)
    lead = beats(readout, names)
    if len([g for g in readout.verdict.grounds if g.code == "goal_better"]) > 1 and lead:
        lead = gettext("%(lead)s The largest gain is with %(name)s.", lead=lead, name=name)
    goal = goal_of(readout, variant)
    return Conclusion(
        "good",
        gettext("Ship %(name)s", name=name),
        gettext("Ship %(name)s.", name=name),
        _kept(lead, *_moves(readout, names, variant), _guardrails(readout, variant), _harmed(readout, names)),
        _frequency(readout, goal),
        caution=_shrinking(),
    )


def _shrinking() -> str:
    return gettext(
        "This is what was measured. Gains tend to be smaller once everybody has them; a holdout shows what "
        "stays."
    )


def _roll_back(readout: Readout, names: Names) -> Conclusion:
    name = names.variant(readout.verdict.variant or "")
    harmed = [
        finding
        for ground in readout.verdict.grounds
        if (finding := readout.finding(ground.metric or "", ground.variant or "")) is not None
    ]
    return Conclusion(
        "bad",
        gettext("Roll back %(name)s", name=name),
        gettext("Roll back %(name)s.", name=name),
        _kept(*(harm_sentence(readout, names, finding) for finding in harmed)),
    )


def harm_sentence(readout: Readout, names: Names, finding: Finding) -> str:
    """Tell of a harm, with the limit that it is beyond."""
    sentence = sentence_of(readout, names, finding)
    if finding.harm_limit is None:
        return sentence
    limit = limit_text(finding.harm_limit)
    return gettext("%(sentence)s That is beyond the harm limit of %(limit)s.", sentence=sentence, limit=limit)


def _stop(readout: Readout, names: Names) -> Conclusion:
    limit = readout.plan.mde
    if limit is not None and any(ground.code == "ruled_out" for ground in readout.verdict.grounds):
        bound = numbers.percent(limit, numbers.decimals_of(limit * 100, digits=1, most=2))
        detail = gettext("Any change larger than ±%(bound)s is ruled out.", bound=bound)
    else:
        detail = ""
    return Conclusion(
        "stop",
        gettext("Stop"),
        gettext("Stop: no clear effect."),
        _kept(gettext("The planned end has come."), _unclear(readout, names), detail),
    )


def _keep_running(readout: Readout, names: Names) -> Conclusion:
    codes = {ground.code for ground in readout.verdict.grounds}
    tag = gettext("Keep running")
    if "before_planned_end" in codes:
        return Conclusion("wait", tag, _until(readout), (_one_look(),))
    if "limit_open" not in codes:
        return Conclusion("wait", tag, gettext("Keep running."), _kept(_unclear(readout, names)))
    variant = readout.verdict.variant or ""
    headline = gettext("Keep running: a harm limit is not ruled out yet.")
    if "your_call" in codes:
        tag, headline = (
            gettext("Your call"),
            gettext("Your call: the goal improved, a harm limit stays open."),
        )
    lead = beats(readout, names)
    sentences = _kept(lead, *_moves(readout, names, variant), *_open_limits(readout, names))
    return Conclusion("wait", tag, headline, sentences, _frequency(readout, goal_of(readout, variant)))


def _until(readout: Readout) -> str:
    end = readout.plan.planned_end
    if end is None:
        return gettext("Keep running: read it when it is stopped.")
    return gettext("Keep running: read it on %(day)s.", day=numbers.day(end.date()))


def _one_look() -> str:
    return gettext(
        "The plan allows one look, at its end: until then the intervals are shown and nothing is concluded."
    )


def _unclear(readout: Readout, names: Names) -> str:
    primary = [finding for finding in overall(readout) if finding.role is Role.PRIMARY]
    if len(primary) == 1:
        return sentence_of(readout, names, primary[0])
    control = names.variant(readout.plan.control)
    return gettext(
        "No treatment is clearly better or worse than %(control)s: for each of them the data fit both a "
        "rise and a fall.",
        control=control,
    )


def _moves(readout: Readout, names: Names, variant: str) -> Iterator[str]:
    for finding in overall(readout):
        if finding.role is Role.PRIMARY and finding.variant == variant and finding.significant:
            sentence = sentence_of(readout, names, finding)
            if len(readout.plan.treatments) > 1:
                name = names.variant(variant)
                sentence = gettext("With %(name)s, %(sentence)s", name=name, sentence=sentence)
            yield sentence


def _guardrails(readout: Readout, variant: str) -> str:
    held = [f for f in overall(readout) if f.role is Role.GUARDRAIL and f.variant == variant]
    if not held:
        return ""
    if len(held) == 2:
        return gettext("Both guardrails stayed inside the limits you set before the start.")
    return ngettext(
        "The guardrail stayed inside the limit you set before the start.",
        "All %(num)s guardrails stayed inside the limits you set before the start.",
        len(held),
    )


def _harmed(readout: Readout, names: Names) -> str:
    """Another treatment's harm does not stop a good one, but it is not passed over."""
    harm = [g.variant for g in readout.verdict.grounds if g.code in ("goal_worse", "guardrail_harmed")]
    worse = [names.variant(variant) for variant in dict.fromkeys(harm) if variant]
    if not worse:
        return ""
    return gettext("Do not ship %(names)s: it does harm.", names=numbers.listed(worse))


def _open_limits(readout: Readout, names: Names) -> Iterator[str]:
    for ground in readout.verdict.grounds:
        finding = readout.finding(ground.metric or "", ground.variant or "")
        if ground.code == "limit_open" and finding is not None and finding.harm_limit is not None:
            yield gettext(
                "%(metric)s: harm up to %(limit)s cannot be ruled out yet.",
                metric=names.metric(finding.metric),
                limit=limit_text(finding.harm_limit),
            )


def _frequency(readout: Readout, goal: Finding | None) -> str:
    if goal is None or goal.difference is None or not is_share(readout, goal.metric):
        return ""
    return per_thousand(goal.difference) if goal.significant else ""


def _kept(*sentences: str) -> tuple[str, ...]:
    return tuple(sentence for sentence in sentences if sentence)
