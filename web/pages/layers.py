"""Layers: who holds which part of a layer, what is free, and putting a draft there."""

from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from analysis.figures.strips import Stretch, stretch_of
from assignment import BUCKETS
from experiments import allotment, catalog, eligibility, launch
from experiments.allotment import Allotment, Block
from experiments.catalog import Experiment
from experiments.definition import parse_layer
from experiments.errors import Conflict, InvalidInput, Problem
from experiments.lifecycle import BEFORE_START
from experiments.roles import Scope
from web import deployment
from web.pages.asking import asker
from web.pages.site import needs, site
from web.pages.typed import read_number
from web.wording import numbers
from web.wording.complaints import beside
from web.wording.language import gettext

NARROWEST = 6.0
"""Per cent of the bar below which a name does not fit into a block."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of the bar, with its share in words."""

    block: Block
    stretch: Stretch
    share: str
    named: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A layer as a bar from 0 to 100 per cent."""

    allotment: Allotment
    pieces: tuple[Piece, ...]
    free: str


@site.get("/layers")
def show_layers() -> str:
    """One bar for each layer."""
    return _page({"key": "", "name": "", "description": ""}, [])


@site.post("/layers")
def save_layer() -> Response | tuple[str, int]:
    """Write a layer down; its salt is made once."""
    texts = {name: request.form.get(name, "").strip() for name in ("key", "name", "description")}
    try:
        draft = parse_layer(texts)
        with deployment.current().store.write() as session:
            eligibility.create(session=session, draft=draft, **asker())
    except InvalidInput as refusal:
        return _page(texts, list(refusal.problems)), 422
    except Conflict as refusal:
        return _page(texts, [Problem("key", str(refusal))]), 409
    return redirect(url_for("pages.show_layers"), 303)


@site.get("/layers/<key>/place")
@needs(Scope.WRITE)
def choose_place(key: str) -> str:
    """Which draft starts in a gap."""
    start, end = _edges()
    return _place(key, {"experiment": "", "start": _per_cent(start), "end": _per_cent(end)}, [])


@site.post("/layers/<key>/place")
def take_place(key: str) -> Response | tuple[str, int]:
    """Give a draft its slot of a layer; it holds the buckets once it runs."""
    texts = {name: request.form.get(name, "").strip() for name in ("experiment", "start", "end")}
    try:
        slots = (_slot(texts),)
        with deployment.current().store.write() as session:
            launch.place(session=session, key=texts["experiment"], layer=key, slots=slots, **asker())
    except InvalidInput as refusal:
        return _place(key, texts, list(refusal.problems)), 422
    return redirect(url_for("pages.design", key=texts["experiment"]), 303)


def _page(texts: dict[str, str], problems: list[Problem]) -> str:
    with deployment.current().store.read() as session:
        found = allotment.allotments(session=session)
    return render_template(
        "layers.html", bars=[_bar(each) for each in found], texts=texts, problems=beside(problems)
    )


def _place(key: str, texts: dict[str, str], problems: list[Problem]) -> str:
    with deployment.current().store.read() as session:
        names = {
            each.definition.key: each.definition.name for each in eligibility.list_layers(session=session)
        }
        drafts = _drafts(catalog.list_experiments(session=session))
    if key not in names:
        abort(404)
    return render_template(
        "place.html", name=names[key] or key, texts=texts, drafts=drafts, problems=beside(problems)
    )


def _drafts(experiments: list[Experiment]) -> list[Experiment]:
    return [
        each
        for each in experiments
        if each.status in BEFORE_START and each.definition.assignment == "internal"
    ]


def _edges() -> tuple[int, int]:
    """The gap that a link leads to, in basis points."""
    start, end = (_number(name, other) for name, other in (("from", 0), ("to", BUCKETS)))
    return (start, end) if start < end <= BUCKETS else abort(400)


def _slot(texts: dict[str, str]) -> tuple[int, int]:
    """Read the part that was typed in per cent as basis points."""
    edges = [read_number(texts[name]) for name in ("start", "end")]
    start, end = (-1 if edge is None else round(edge * 100) for edge in edges)
    if not 0 <= start < end <= BUCKETS:
        raise InvalidInput.at("slots", "expected a part of the layer in per cent")
    return start, end


def _per_cent(edge: int) -> str:
    return f"{edge / 100:g}"


def _number(name: str, otherwise: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else otherwise


def _bar(found: Allotment) -> Bar:
    free = gettext("%(share)s is free", share=numbers.tick_share(found.free / BUCKETS))
    return Bar(found, tuple(_piece(each) for each in found.blocks), free)


def _piece(block: Block) -> Piece:
    stretch = stretch_of(block.start, block.end, whole=(0, BUCKETS))
    return Piece(block, stretch, _share(block.start, block.end), stretch.length >= NARROWEST)


def _share(start: int, end: int) -> str:
    return numbers.tick_share(start / BUCKETS) + numbers.RANGE + numbers.tick_share(end / BUCKETS)
