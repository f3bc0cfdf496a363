"""Spoiled: the scenes and the furniture as the worst of authors would have written them, under valid keys.

Whatever is free text says `WORST`: names, hypotheses, attribute values, steps of funnels, lessons, purposes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Flask

from analysis import Readout
from experiments import readouts, webhooks
from experiments.definition import parse_metric
from experiments.readouts import latest
from experiments.registry import save_metric
from experiments.store import Store
from tests.browser.furniture import FORMS, furnish
from tests.samples import event
from tests.web import scenes
from web.alarm import raise_alarms
from web.deployment import Deployment

ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
WORST = f"={ATTACK}[x](javascript:alert(1)){{% 7*7 %}}\u202eevil\u200b{'W' * 60}"
FREE = frozenset(
    {"name", "description", "owner", "tags", "source", "change", "audience", "effect", "because"}
    | {"reason", "learning", "follow_up_task", "follow_up_owner", "insight", "actions", "purpose"}
    | {"property_purpose"}
)
"""Names of fields that hold free text, in definitions and in forms."""


def spoil(document: Any, name: str = "") -> Any:
    """The same document, with the worst in every field of free text."""
    if isinstance(document, Mapping):
        return {key: spoil(value, key) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [spoil(each, name) for each in document]
    return WORST if name in FREE and document else document


def spoiled_scene(scene: scenes.Scene) -> scenes.Scene:
    """A scene whose people wrote the worst."""
    named = {"name": WORST, "description": WORST, "owner": WORST, "tags": [WORST], "source": WORST}
    return replace(scene, draft={**named, **spoil(scene.draft)})


def spoiled_readout(readout: Readout) -> Readout:
    """A readout over attribute values, steps and channels that came from the worst of clients."""
    funnel = readout.funnels[0]
    return replace(
        readout,
        comparisons=tuple(
            replace(each, segment=f"lifecycle={WORST}") if each.segment == "lifecycle=new" else each
            for each in readout.comparisons
        ),
        funnels=(replace(funnel, steps=(*funnel.steps[:-1], replace(funnel.steps[-1], name=WORST))),),
        mixes=tuple(
            replace(each, units={**each.units, WORST: each.units["email"]}) for each in readout.mixes
        ),
        credits=tuple(
            replace(each, channel=WORST if each.channel == "email" else each.channel)
            for each in readout.credits
        ),
    )


def spoil_site(app: Flask) -> str:
    """Fill a site with the worst; give the path of a shared report."""
    deployment: Deployment = app.extensions["evenhand"]
    scenes.stage(deployment.store, *map(spoiled_scene, scenes.SCENES))
    for key in ("rich",):
        _keep_spoiled(deployment.store, key)
    with deployment.store.write() as session:
        for metric in scenes.METRICS:
            draft = parse_metric({**metric, "name": WORST, "name_zh": WORST, "description": WORST})
            save_metric(session=session, draft=draft, actor=WORST, now=scenes.NOW)
        webhooks.note_delivery(
            session=session, message="alert-1", kind=WORST[:32], now=scenes.NOW, failure=WORST
        )
    for key in ("harm", "veterans"):
        with deployment.store.read() as session:
            snapshot = latest(session=session, key=key)
        assert snapshot is not None
        raise_alarms(store=deployment.store, snapshot=snapshot, now=scenes.NOW)
    deployment.writer.append([event(1, event=WORST[:120], user_id=WORST, message_id=WORST)])
    return furnish(app, [(path, spoil(fields)) for path, fields in FORMS])


def _keep_spoiled(store: Store, key: str) -> None:
    with store.write() as session:
        snapshot = latest(session=session, key=key)
        assert snapshot is not None
        readouts.keep(
            session=session,
            readout=spoiled_readout(snapshot.readout),
            observation=next(each for each in scenes.SCENES if each.key == key).observation(),
        )
