"""The digest: a day or a week over all experiments, on one page."""

from flask import render_template, request

from experiments import catalog, digest, registry
from web import deployment
from web.pages.site import site
from web.wording.digests import tell

SPANS = (1, 7)
"""Days that can be chosen."""


@site.get("/digest")
def show_digest() -> str:
    """What happened since yesterday, or in a week."""
    days = 7 if request.args.get("days") == "7" else 1
    with deployment.current().store.read() as session:
        found = digest.digest_of(session=session, now=deployment.current().now(), days=days)
        metrics = {each.key: each for each in registry.list_metrics(session=session)}
        titles = {each.key: each.title for each in catalog.list_experiments(session=session)}
    return render_template("digest.html", told=tell(found, metrics, titles), days=days)
