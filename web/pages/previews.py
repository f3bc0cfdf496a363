"""Previews: a link for each variant, to look at it where it will be met."""

from typing import NamedTuple

from flask import render_template, request

from experiments import catalog
from experiments.catalog import Experiment
from experiments.errors import InvalidInput
from experiments.previews import PARAMETER, is_shown
from experiments.project import find_project
from experiments.store import Session
from web import deployment
from web.pages.site import site
from web.previews import Link
from web.wording.mistakes import worded


class Preview(NamedTuple):
    """A link with the name of what it shows."""

    name: str
    control: bool
    link: Link
    address: str


@site.get("/experiments/<key>/preview")
def show_previews(key: str) -> str | tuple[str, int]:
    """The links to one page of the product."""
    page, problem, links = request.args.get("page", "")[:2_000], "", []
    with deployment.current().store.read() as session:
        experiment = catalog.find_experiment(session=session, key=key)
        product = find_project(session=session).definition.site
        try:
            links = previews_on(session, experiment, page)
        except InvalidInput as refusal:
            problem = worded(refusal.problems[0].message)
    shown = is_shown(experiment.status, experiment.definition.assignment)
    answer = render_template(
        "previews.html",
        experiment=experiment,
        previews=links,
        page=page,
        product=product,
        problem=problem,
        shown=shown,
    )
    return (answer, 422) if problem and shown else answer


def previews_on(session: Session, experiment: Experiment, page: str = "") -> list[Preview]:
    """The links of an experiment, in the order of its variants; none where nothing is to be shown."""
    draft = experiment.definition
    if not is_shown(experiment.status, draft.assignment):
        return []
    links = deployment.current().previews.links(session=session, key=draft.key, page=page)
    return [
        Preview(each.name or each.key, each.key == draft.control, link, link.address or _to_append(link))
        for each, link in zip(draft.variants, links, strict=True)
    ]


def _to_append(link: Link) -> str:
    return f"?{PARAMETER}={link.token}"
