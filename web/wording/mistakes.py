"""Mistakes: what is not right in what somebody sent, in the reader's language."""

import re
from collections.abc import Callable

from web.wording.language import gettext
from web.wording.refusals import named, refusal_sentence


def worded(message: str, *, scale: int = 1) -> str:
    """Say a problem in the reader's language; one that has no translation stays as it is.

    Limits in the message are multiplied by ``scale``.
    """
    for pattern, say in _MESSAGES:
        match = re.search(pattern, message)
        if match:
            return say(*(_filled(each, scale) for each in match.groups()))
    return refusal_sentence(message) or message


def _filled(text: str, scale: int) -> str:
    """A limit, or whatever else a message names."""
    limit = re.fullmatch(r"\d+(?:\.\d+)?", text)
    return f"{float(text) * scale:.12g}" if limit else named(text)


_MESSAGES: list[tuple[str, Callable[..., str]]] = [
    (r"^choose the variant", lambda: gettext("Choose the variant that everybody gets.")),
    (r"^choose what happens", lambda: gettext("Choose what happens now.")),
    (r"^expected a day that has not come", lambda: gettext("Choose a day that has not come yet.")),
    (r"^expected a day$", lambda: gettext("Write a day, such as 2026-03-15.")),
    (r"^write down what was learnt", lambda: gettext("Write down what was learnt, in one sentence.")),
    (
        r"^the decision departs",
        lambda: gettext("This departs from the recommendation; say why, for those who read it later."),
    ),
    (
        r"^expected ([\d.]+) to ([\d.]+)(?! characters)",
        lambda low, high: gettext("Write a number from %(low)s to %(high)s.", low=low, high=high),
    ),
    (r"stands on it and has started", lambda: gettext("An experiment that has started stands on it.")),
    (
        r"honours it and has started",
        lambda: gettext("An experiment that has started honours it; make another holdout instead."),
    ),
    (
        r"segment (\S+) is missing",
        lambda name: gettext("The segment “%(name)s” does not exist, or refers back to this one.", name=name),
    ),
    (
        r"a part of the layer",
        lambda: gettext("Write where the part begins and ends, from 0 to 100 per cent of the layer."),
    ),
    (r"expected an id of", lambda: gettext("Write an id of 1 to 512 characters.")),
    (r"expected user_id or", lambda: gettext("Choose one of these.")),
    (
        r"^(\d+) people used this anonymous id",
        lambda count: gettext(
            "%(count)s people used this anonymous id. Erase each of them by user id.", count=count
        ),
    ),
    # Experiments.
    (
        r"^(.+) has two roles",
        lambda key: gettext("The metric %(key)s has two roles; give each one.", key=key),
    ),
    (r"(\S+) needs a margin", lambda key: gettext("The guardrail %(key)s needs a harm limit.", key=key)),
    (
        r"plan\.cuped: (\S+) is a",
        lambda key: gettext(
            "%(key)s has no value before the exposure, so nothing can be adjusted by it.", key=key
        ),
    ),
    (
        r"expected events_per_day",
        lambda: gettext("Say how many events a day make a robot, or name a condition, or do both."),
    ),
    (r"inference needs size", lambda: gettext("This way of reading needs the planned number of units.")),
    (
        r"looks: expected rising shares",
        lambda: gettext("Write rising shares of the planned size, such as 0.25, 0.5, 1."),
    ),
    (
        r"an experiment in a layer holds slots",
        lambda: gettext("An experiment in a layer needs a place in it; one outside of layers has none."),
    ),
    (
        r"slots: expected ranges .+ (\d+)$",
        lambda most: gettext("A place in a layer lies between 0 and %(most)s.", most=most),
    ),
    (
        r"expected the moment at which it stops",
        lambda: gettext("Say when it ends, if it is to stop by itself."),
    ),
    (
        r"(\S+) has no guardrail (\S+)",
        lambda key, metric: gettext("%(key)s has no guardrail %(metric)s.", key=key, metric=metric),
    ),
    (r"there is no layer (.+)", lambda key: gettext("There is no layer %(key)s.", key=key)),
    (r"there is no holdout (.+)", lambda key: gettext("There is no holdout %(key)s.", key=key)),
    (
        r"its place can no longer change",
        lambda: gettext("It has started, so its place can no longer change."),
    ),
    (
        r"is archived, or another system assigns it",
        lambda: gettext("It is archived, or another system assigns it, so there is nothing to be shown."),
    ),
    (
        r"is a draft; it has no data|it has no data before it starts",
        lambda: gettext("It has no data before it starts."),
    ),
    (r"there is nothing to decide$", lambda: gettext("There is nothing to decide about it.")),
    # Conditions.
    (
        r"attribute: expected the name",
        lambda: gettext("Write the name of an attribute, such as country or company.size."),
    ),
    (
        r"attribute: (\S+) is the unit itself",
        lambda name: gettext("%(name)s is the unit itself; name an attribute of it.", name=name),
    ),
    (
        r"attribute: (\S+) has another meaning",
        lambda name: gettext("%(name)s has another meaning in browsers; choose another name.", name=name),
    ),
    (r"value: this operator takes none", lambda: gettext("This comparison takes no value.")),
    (r"value: expected a list with", lambda: gettext("Write at least one value.")),
    (r"value: expected a text, a number", lambda: gettext("Write a text, a number, true or false.")),
    (
        r"value: expected a number or a text",
        lambda: gettext("Write a number or a text; true and false have no order."),
    ),
    (
        r"value: expected a number within|beyond ±2\^53",
        lambda: gettext("This number is too large for every client to read exactly."),
    ),
    (r"value: expected a text that is not empty", lambda: gettext("Fill this in.")),
    (r"value: expected a text that does not end", lambda: gettext("The text must not end in a line break.")),
    (r"value: expected a text$", lambda: gettext("Write a text.")),
    (r"value: expected a version", lambda: gettext("Write a version, such as 1.4.0.")),
    (
        r"expected at least one condition|expected a list with at least one condition",
        lambda: gettext("Write at least one condition."),
    ),
    (r"segment: expected the key", lambda: gettext("Choose a segment.")),
    (
        r"operator: expected one of|: unknown; expected all, any|expected an object such as",
        lambda: gettext("This is no condition that Evenhand knows."),
    ),
    (
        r"nested more than (\d+) deep",
        lambda most: gettext("This is nested too deeply: at most %(most)s levels.", most=most),
    ),
    (r"unfolds to more than", lambda: gettext("With the segments in it, this condition is too long.")),
    # Metrics.
    (
        r"expected the name of a property",
        lambda: gettext(
            "Write the name of a property, such as price or cart.total, without quotes or $[]*?@."
        ),
    ),
    (
        r"a saved segment speaks of units",
        lambda: gettext("A saved segment speaks of units; name properties of the event here."),
    ),
    (
        r"(\S+) cannot be counted by; use (.+)",
        lambda name, other: gettext("%(name)s cannot be counted by; use %(other)s.", name=name, other=other),
    ),
    (
        r"compares with a number",
        lambda: gettext("This comparison needs a number; texts have another order everywhere."),
    ),
    (r"expected at least two events", lambda: gettext("Name at least two events, in their order.")),
    (r"\ban? \w+ has none; it has|reads no property", lambda: gettext("This kind of metric has none.")),
    (r"\ban? .+ needs one", lambda: gettext("Fill this in.")),
    (
        r"is the numerator itself",
        lambda: gettext("The denominator is the numerator itself; their ratio would always be 1."),
    ),
    (r"must be later than from", lambda: gettext("The window must end after it begins.")),
    (
        r"a quantile per event takes each value",
        lambda: gettext("A quantile per event takes each value as it is; choose per unit to add them up."),
    ),
    (r"a quantile per unit takes", lambda: gettext("A quantile per unit takes sum, count, max or last.")),
    (
        r"(\S+) is a \w+; a ratio is made of",
        lambda key: gettext("%(key)s cannot be part of a ratio.", key=key),
    ),
    # Files, and what is too large.
    (r"not UTF-8", lambda: gettext("The file is not UTF-8 text.")),
    (
        r"expected a first line with the columns",
        lambda: gettext("The first line names the columns: day, event and count."),
    ),
    (r"expected three cells", lambda: gettext("Every line has three cells: day, event and count.")),
    (
        r"larger than (\d+) bytes",
        lambda most: gettext("This is too large: at most %(most)s bytes.", most=most),
    ),
    (
        r"longer than (\d+) kB",
        lambda most: gettext("This is too long: at most %(most)s kB. It was not kept.", most=most),
    ),
    (
        r"expected a year from (\d+) to (\d+)",
        lambda low, high: gettext("Write a year from %(low)s to %(high)s.", low=low, high=high),
    ),
    (
        r"holds a (?:NUL|lone)|half of a surrogate pair|cannot be stored",
        lambda: gettext("This holds a character that cannot be stored."),
    ),
    (r"^expected one of (.+)", lambda known: gettext("Choose one of these: %(known)s", known=known)),
    (r"^not an address", lambda: gettext("This is not an address.")),
    # What every form says.
    (
        r"should match pattern",
        lambda: gettext("Use letters, digits, dots, dashes and underscores; begin with a letter or a digit."),
    ),
    (
        r"at most (\d+) characters",
        lambda limit: gettext("This is too long: at most %(most)s characters.", most=limit),
    ),
    (
        r"expected a page of",
        lambda: gettext("Links lead to pages of your product's own address only."),
    ),
    (
        r"expected the name of a time zone",
        lambda: gettext("Write the name of a time zone, such as Asia/Shanghai or UTC."),
    ),
    (
        r"expected an address such as",
        lambda: gettext("Write an address that begins with https:// or http://."),
    ),
    (
        r"is here already",
        lambda: gettext("This person is here already, in another role. Change it in the list."),
    ),
    (r"expected 1 to 200 characters", lambda: gettext("Write a name of 1 to 200 characters.")),
    (r"at least 1 character", lambda: gettext("Fill this in.")),
    (r"exists already", lambda: gettext("This key was used before. Keys are never used twice.")),
    (r"not a number", lambda: gettext("Write a number.")),
    (r"not JSON", lambda: gettext('This is not JSON. Text needs quotes, for instance "blue".')),
    (r"valid integer", lambda: gettext("Write a whole number.")),
    (
        r"greater than or equal to ([\d.]+)",
        lambda limit: gettext("Write a number from %(least)s.", least=limit),
    ),
    (r"greater than ([\d.]+)", lambda limit: gettext("Write a number above %(least)s.", least=limit)),
    (
        r"less than or equal to ([\d.]+)",
        lambda limit: gettext("Write a number up to %(most)s.", most=limit),
    ),
    (r"less than ([\d.]+)", lambda limit: gettext("Write a number below %(most)s.", most=limit)),
    (r"two have the same key", lambda: gettext("Two variants have the same key.")),
    (
        r"at least one other need a weight",
        lambda: gettext("The control and at least one other variant need a weight above 0."),
    ),
    (r"not among the variants", lambda: gettext("This is not the key of any variant.")),
    (r"should have at least 2 items", lambda: gettext("An experiment needs at least two variants.")),
    (r"should have at least 1 item", lambda: gettext("Choose at least one primary metric.")),
    (r"should have at most 5 items", lambda: gettext("Choose at most five primary metrics.")),
    (
        r"^sequential inference needs size",
        lambda: gettext("Looking at any time up to a size needs that size."),
    ),
    (r"where the slot begins", lambda: gettext("The slot must end above where it begins.")),
    (r"later than starts", lambda: gettext("It must end after it begins.")),
    (r"\bdate", lambda: gettext("Write a date such as 2026-03-15.")),
    (r"finite number", lambda: gettext("Write a number.")),
    (r"there is no metric", lambda: gettext("One of these metrics does not exist.")),
    (r"is what units outside", lambda: gettext("This word is taken; choose another key.")),
    (r"a number and h, d or w", lambda: gettext("Write a number and h, d or w, such as 14d.")),
    (r"two have the same name", lambda: gettext("Two properties have the same name.")),
    (r"expected a text$", lambda: gettext("Fill this in.")),
    (r"Field required", lambda: gettext("Fill this in.")),
    (r"Input should be '", lambda: gettext("Choose one of these.")),
]
