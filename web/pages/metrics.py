"""Metrics: the catalogue, the page of each, and the form that writes one down."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import metric_uses, registry
from experiments.definition import parse_metric
from experiments.errors import Conflict, InvalidInput, Problem
from experiments.metrics import COUNTABLE
from experiments.pasts import find_pasts
from experiments.registry import Metric
from experiments.roles import Scope
from web import deployment
from web.engine import engine_of
from web.pages.asking import asker
from web.pages.drafting import condition_document
from web.pages.form import typed_condition
from web.pages.rows_form import MOST_ROWS, TypedRow
from web.pages.site import needs, site
from web.pages.typed import read_count, read_number
from web.reporting.metric import metric_page
from web.wording import metric_forms as words
from web.wording.conditions import operator_words
from web.wording.language import html_tag
from web.wording.metric_sentences import metric_sentence
from web.wording.mistakes import worded
from web.wording.names import metric_title, reading_order
from web.wording.pasts import missing_sentence, past_terms, past_value

NUMBERS = ("at_least", "scale", "quantile", "margin", "minimum")
PER_CENT = ("margin", "quantile", "cap")
"""Fields that are typed in per cent and stored as shares."""


@site.get("/metrics/", endpoint="metrics")
def list_all() -> str:
    """The catalogue: every metric with its recent level and who uses it."""
    with deployment.current().store.read() as session:
        found = registry.list_metrics(session=session)
        pasts = find_pasts(session=session)
        used = metric_uses.count_uses(session=session)
    return render_template(
        "metrics.html",
        metrics=sorted(found, key=lambda each: reading_order(metric_title(each))),
        pasts=pasts,
        used=used,
        kinds=words.kinds(),
        metric_sentence=metric_sentence,
        past_value=past_value,
        language=html_tag(),
    )


@site.get("/metrics/new")
@needs(Scope.WRITE)
def new_metric() -> str:
    """The form for a metric of one kind."""
    return _form({"kind": request.args.get("kind", "proportion")}, [])


@site.post("/metrics/new")
def create_metric() -> Response | str | tuple[str, int]:
    """Write a new metric down, or show the form again with what is wrong."""
    return _save(version=0)


@site.get("/metrics/<key>")
def show_metric(key: str) -> str:
    """A metric: what it counts, its last weeks, what moved it, who uses it, and how it changed."""
    here = deployment.current()
    with here.store.read() as session:
        engine = engine_of(here.settings, here.store)
        page = metric_page(session=session, engine=engine, key=key, now=here.now())
    draft = page.metric.definition
    return render_template(
        "metric.html",
        page=page,
        facts=words.facts(draft),
        sentence=metric_sentence(draft),
        past=() if page.past is None else past_terms(draft, page.past),
        missing="" if page.past is None else missing_sentence(page.past),
        roles=words.roles(),
        language=html_tag(),
    )


@site.get("/metrics/<key>/edit")
@needs(Scope.WRITE)
def edit_metric(key: str) -> str:
    """The form, filled with the newest version."""
    metric = _find(key)
    return _form(_typed(metric), [], editing=metric)


@site.post("/metrics/<key>/edit")
def change_metric(key: str) -> Response | str | tuple[str, int]:
    """Write the next version down; experiments that run keep the one that they started with."""
    metric = _find(key)
    return _save(version=read_count(request.form.get("version", "")) or 0, editing=metric)


def _save(*, version: int, editing: Metric | None = None) -> Response | str | tuple[str, int]:
    typed: dict[str, Any] = {name: request.form.get(name, "") for name in words.FIELDS}
    typed["conditions"] = _typed_conditions()
    if request.form.get("go") == "condition":
        typed["conditions"] = [*typed["conditions"], TypedRow()][:MOST_ROWS]
        return _form(typed, [], editing=editing)
    try:
        draft = parse_metric(_document(typed) | ({} if editing is None else {"key": editing.key}))
        with deployment.current().store.write() as session:
            registry.save_metric(session=session, draft=draft, version=version, **asker())
    except InvalidInput as refusal:
        return _form(typed, list(refusal.problems), editing=editing), 422
    except Conflict as refusal:
        return _form(typed, [Problem("", str(refusal))], editing=editing), 409
    return redirect(url_for("pages.show_metric", key=draft.key), 303)


def _form(typed: dict[str, Any], problems: list[Problem], *, editing: Metric | None = None) -> str:
    with deployment.current().store.read() as session:
        others = [each for each in registry.list_metrics(session=session) if each != editing]
    blank: dict[str, Any] = {**dict.fromkeys(words.FIELDS, ""), "conditions": []}
    kind = typed["kind"] if typed["kind"] in words.kinds() else "proportion"
    return render_template(
        "metric_form.html",
        typed={**blank, **typed, "kind": kind},
        shown=words.fields_of(kind),
        problems=_beside(problems),
        editing=editing,
        others=others,
        kinds=words.kinds(),
        labels=words.labels(),
        choices=words.choices(),
        operators=[each for each in operator_words() if each[0] in COUNTABLE],
    )


def _beside(problems: list[Problem]) -> dict[str, list[str]]:
    """Sort problems by field; what a rule over several fields says begins with the one to look at."""
    found: dict[str, list[str]] = {}
    for each in problems:
        place = each.place.split(".")[0]
        if not place or place.startswith("metric"):
            named, _, rest = each.message.partition(": ")
            place, message = (named, rest) if named in words.FIELDS and rest else ("form", each.message)
        else:
            message = each.message
        found.setdefault(place, []).append(worded(message, scale=100 if place in PER_CENT else 1))
    return found


def _typed(metric: Metric) -> dict[str, Any]:
    """A metric as the form shows it."""
    stored = metric.definition.model_dump(mode="json", by_alias=True)
    typed = {name: "" if stored.get(name) is None else str(stored[name]) for name in words.FIELDS}
    typed["steps"] = ", ".join(metric.definition.steps)
    typed["cap"] = _percent(metric.definition.cap.quantile) if metric.definition.cap else ""
    for name in ("margin", "quantile"):
        typed[name] = "" if stored.get(name) is None else _percent(stored[name])
    typed["lost"] = "yes" if metric.definition.lost else ""
    match, conditions, whole = typed_condition(metric.definition.where)
    return {**typed, "conditions": list(conditions), "match": match, "where": whole}


def _document(typed: dict[str, Any]) -> dict[str, Any]:
    """Turn what was typed into the document of a definition: only what belongs to its kind.

    Raises
    ------
    InvalidInput
        Naming every field whose text is not of its kind.
    """
    problems: list[Problem] = []
    shown = set(words.fields_of(typed["kind"])) | set(words.TEXTS) | {"direction", "margin", "minimum"}
    document: dict[str, Any] = {"kind": typed["kind"]}
    for name in sorted(shown & set(words.FIELDS)):
        text = typed[name].strip()
        if not text or name in ("where", "match", "cap", "steps", "lost"):
            continue
        document[name] = _number(name, text, problems) if name in NUMBERS else text
    if "steps" in shown and typed["steps"].strip():
        document["steps"] = [
            part.strip() for part in typed["steps"].replace("，", ",").split(",") if part.strip()
        ]
    if "cap" in shown and typed["cap"].strip():
        document["cap"] = {"quantile": _number("cap", typed["cap"], problems)}
    if "lost" in shown and typed["lost"]:
        document["lost"] = True
    if "where" in shown:
        where = condition_document(
            typed["where"], typed["match"], typed["conditions"], problems, place="where"
        )
        document |= {} if where is None else {"where": where}
    return document


def _typed_conditions() -> list[TypedRow]:
    columns = [request.form.getlist(f"condition_{name}") for name in ("attribute", "operator", "value")]
    return [TypedRow(*line) for line in zip(*columns, strict=False)][:MOST_ROWS]


def _number(name: str, text: str, problems: list[Problem]) -> float | int | None:
    value = read_number(text)
    if value is None:
        problems.append(Problem(name, "not a number"))
        return None
    if name in PER_CENT:
        return round(value / 100, 10)
    return int(value) if name in ("at_least", "minimum") and value % 1 == 0 else value


def _percent(share: float) -> str:
    return f"{share * 100:.8f}".rstrip("0").rstrip(".")


def _find(key: str) -> Metric:
    with deployment.current().store.read() as session:
        return registry.find_metrics(session=session, keys=[key])[key]
