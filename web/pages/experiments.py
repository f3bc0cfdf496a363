"""The list: every experiment on one line, with how it stands, narrowed by what is asked for."""

from dataclasses import dataclass

from flask import render_template, request, url_for

from experiments import catalog, readouts, registry
from experiments.catalog import Experiment
from experiments.legibility import list_illegible
from experiments.lifecycle import Status
from experiments.project import find_project
from web import deployment
from web.entries import entries_of
from web.pages.paging import Paging, page_asked_for, paging_of
from web.pages.site import site
from web.wording.names import metric_title
from web.wording.states import status_chip

PAGE = 25
"""Lines on a page."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What the list can be narrowed by: everything that occurs in it."""

    owners: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for."""

    text: str
    status: Status | None
    owner: str
    metric: str
    tag: str

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for at all."""
        return bool(self.text or self.status or self.owner or self.metric or self.tag)

    def admits(self, experiment: Experiment) -> bool:
        """Whether an experiment has what was asked for beyond words and status."""
        draft = experiment.definition
        return (
            (not self.owner or draft.owner == self.owner)
            and (not self.tag or self.tag in draft.tags)
            and (not self.metric or self.metric in draft.metrics.keys)
        )


@site.get("/experiments", endpoint="experiments")
def show_list() -> str:
    """The list, narrowed by search words, status, owner, metric and tag."""
    asked = _asked()
    with deployment.current().store.read() as session:
        everything = catalog.list_experiments(session=session)
        listed = catalog.list_experiments(session=session, status=asked.status, text=asked.text)
        found = [each for each in listed if asked.admits(each)]
        paging = _paging(len(found))
        shown = found[paging.first : paging.last]
        newest = readouts.latest_of(session=session, keys=[each.key for each in shown])
        illegible = [each.key for each in list_illegible(session=session)]
        metrics = {metric.key: metric for metric in registry.list_metrics(session=session)}
        zone = find_project(session=session).definition.zone
    return render_template(
        "experiments.html",
        entries=entries_of(shown, newest, metrics),
        asked=asked,
        facets=_facets(everything, {key: metric_title(metric) for key, metric in metrics.items()}),
        illegible=illegible,
        statuses=[(each, status_chip(each).word) for each in Status],
        chip=status_chip,
        paging=paging,
        zone=zone,
    )


def _asked() -> Asked:
    sent = request.args
    status = sent.get("status", "")
    return Asked(
        sent.get("q", "").strip(),
        Status(status) if status in set(Status) else None,
        sent.get("owner", ""),
        sent.get("metric", ""),
        sent.get("tag", ""),
    )


def _facets(experiments: list[Experiment], titles: dict[str, str]) -> Facets:
    drafts = [each.definition for each in experiments]
    used = {key for draft in drafts for key in draft.metrics.keys}
    return Facets(
        tuple(sorted({(draft.owner, draft.owner) for draft in drafts if draft.owner})),
        tuple(sorted({(tag, tag) for draft in drafts for tag in draft.tags})),
        tuple(sorted(((key, titles.get(key, key)) for key in used), key=lambda pair: pair[1])),
    )


def _paging(count: int) -> Paging:
    asked = {name: value for name, value in request.args.items() if name != "page" and value}
    return paging_of(
        count=count,
        size=PAGE,
        wanted=page_asked_for(),
        address=lambda page: url_for("pages.experiments", **{**asked, "page": page}),  # type: ignore[arg-type]  # names of our own form
    )
