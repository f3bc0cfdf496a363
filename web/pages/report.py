"""The report: a readout between the words of its authors; writing them, exporting and sharing the whole."""

import json
from collections.abc import Sequence

import flask_babel
from flask import Response, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from experiments import reports, shares
from experiments.errors import Conflict, InvalidInput, Problem
from experiments.reports import ReportDraft, parse_report
from experiments.shares import LIFETIMES
from web import auth, deployment
from web.pages.looking import Look, drawn, look_at
from web.pages.site import POLICY, nonce, open_to_all, site
from web.reporting.comparisons import comparisons_csv
from web.reporting.file import file_name, html_file
from web.reporting.placeholders import unknown_in, values_of
from web.reporting.printing import find_chromium, print_pdf
from web.reporting.report import report_body, report_of
from web.reporting.sentences import sentences_of
from web.reporting.subject import Subject
from web.wording.language import gettext

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Spreadsheets read a file as UTF-8 only when it begins with it."""

PARTS = ("background", "insight", "actions")


@site.get("/experiments/<key>/report", endpoint="report")
def show_report(key: str) -> str:
    """The report, and what can be done with it."""
    return _page(look_at(key))


def _page(look: Look, *, link: str = "") -> str:
    if look.snapshot_id is None:
        return render_template("no_results.html", experiment=look.experiment, hypothesis=look.hypothesis)
    body = drawn(look, "report", lambda: report_body(report_of(look.subject, look.snapshot().readout)))
    with deployment.current().store.read() as session:
        links = shares.list_shares(session=session, key=look.experiment.key)
    return render_template(
        "report.html",
        look=look,
        body=body,
        links=links,
        link=link,
        now=deployment.current().now(),
        lifetimes=LIFETIMES,
        prints=find_chromium(deployment.current().settings.chromium) is not None,
    )


@site.get("/experiments/<key>/report.<any(html, pdf, csv, json):form>")
def export_report(key: str, form: str) -> Response:
    """The report as a file."""
    look = look_at(key)
    return {"html": _html, "pdf": _pdf, "csv": _csv, "json": _json}[form](look)


@site.get("/experiments/<key>/report/edit")
def edit_report(key: str) -> str:
    """The texts, to be written."""
    look = look_at(key)
    return _form(look, look.report.texts.model_dump(), [], look.report.revision)


@site.post("/experiments/<key>/report/edit")
def save_report(key: str) -> AnyResponse | tuple[str, int]:
    """Write the texts down, or show the form again with everything that was typed."""
    look, typed = look_at(key), {name: request.form.get(name, "") for name in PARTS}
    revision = _revision()
    try:
        draft = parse_report(typed)
        _require_known(look, draft)
        _write(key, draft, revision)
    except InvalidInput as refusal:
        return _form(look, typed, refusal.problems, revision), 422
    except Conflict as refusal:
        return _form(look, typed, [Problem("form", str(refusal))], look.report.revision, clash=True), 409
    return redirect(url_for("pages.report", key=key), 303)


@site.post("/experiments/<key>/report/share")
def share_report(key: str) -> AnyResponse | str:
    """Make a link to the report as it is now; it is shown once."""
    look, days = look_at(key), request.form.get("days", "")
    snapshot = look.snapshot()
    with deployment.current().store.write() as session:
        _, token = shares.create_share(
            session=session,
            snapshot=snapshot,
            frozen=look.subject.to_json(),
            days=int(days) if days.isdecimal() and len(days) < 5 else 0,
            actor=_actor(),
            now=deployment.current().now(),
        )
    return _page(look, link=_address(token))


@site.post("/experiments/<key>/report/share/<int:number>/revoke")
def revoke_link(key: str, number: int) -> AnyResponse:
    """Withdraw a link."""
    with deployment.current().store.write() as session:
        now = deployment.current().now()
        shares.revoke_share(session=session, key=key, id=number, actor=_actor(), now=now)
    return redirect(url_for("pages.report", key=key) + "#share", 303)


@site.get("/s/<token>")
@open_to_all
def shared(token: str) -> Response:
    """One frozen report, for somebody who has its link."""
    with deployment.current().store.read() as session:
        share, snapshot = shares.open_share(session=session, token=token, now=deployment.current().now())
    key = ("shared", str(flask_babel.get_locale()), share.id)
    subject = Subject.from_json(share.frozen)
    body = deployment.current().shelf.get(key, lambda: report_body(report_of(subject, snapshot.readout)))
    page = render_template(
        "shared.html",
        share=share,
        subject=subject,
        body=Markup(body),  # noqa: S704 - our own template's output
    )
    answer = Response(page, headers={"Content-Security-Policy": POLICY.format(nonce=nonce())})
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the key to it
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _form(
    look: Look, typed: dict[str, str], problems: Sequence[Problem], revision: int, *, clash: bool = False
) -> str:
    known = {}
    if look.snapshot_id is not None:
        known = values_of(look.snapshot().readout, look.subject.names)
    return render_template(
        "report_edit.html",
        look=look,
        typed=typed,
        problems={each.place: each.message for each in problems},
        revision=revision,
        known=known,
        stored=look.report.texts.model_dump() if clash else {},
    )


def _require_known(look: Look, draft: ReportDraft) -> None:
    """Name the placeholders that nothing stands for; before the first readout nothing is known of them."""
    if look.snapshot_id is None:
        return
    values = values_of(look.snapshot().readout, look.subject.names)
    problems = [
        Problem(part, gettext("There is no number called %(name)s.", name="{{" + name + "}}"))
        for part in PARTS
        for name in unknown_in(getattr(draft, part), values)
    ]
    if problems:
        raise InvalidInput(problems)


def _write(key: str, draft: ReportDraft, revision: int) -> None:
    now = deployment.current().now()
    with deployment.current().store.write() as session:
        reports.write_report(
            session=session, key=key, draft=draft, revision=revision, actor=_actor(), now=now
        )


def _actor() -> str:
    person = auth.person()
    return person.name if person else ""


def _revision() -> int:
    text = request.form.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 10 else abort(400)


def _address(token: str) -> str:
    base = deployment.current().settings.public_url.rstrip("/") or request.host_url.rstrip("/")
    return base + url_for("pages.shared", token=token)


def _html(look: Look) -> Response:
    report = report_of(look.subject, look.snapshot().readout)
    return _attached(html_file(report), file_name(report, "html"), "text/html")


def _pdf(look: Look) -> Response:
    chromium = find_chromium(deployment.current().settings.chromium)
    if chromium is None:
        abort(404, gettext("This server has no Chromium to print with."))
    report = report_of(look.subject, look.snapshot().readout)
    printed = print_pdf(html_file(report), chromium=chromium)
    return _attached(printed, file_name(report, "pdf"), "application/pdf")


def _csv(look: Look) -> Response:
    snapshot = look.snapshot()
    name = f"evenhand-{look.experiment.key}-{snapshot.readout.as_of.date().isoformat()}.csv"
    return _attached(BYTE_ORDER_MARK + comparisons_csv(snapshot.document), name, "text/csv")


def _json(look: Look) -> Response:
    snapshot, subject = look.snapshot(), look.subject
    document = {
        "title": subject.title,
        "texts": subject.texts.model_dump(),
        "sentences": sentences_of(snapshot.readout, subject.names),
        "readout": dict(snapshot.document),
    }
    name = f"evenhand-{look.experiment.key}-{snapshot.readout.as_of.date().isoformat()}.json"
    return _attached(json.dumps(document, ensure_ascii=False), name, "application/json")


def _attached(content: str | bytes, name: str, media_type: str) -> Response:
    """A download. Whatever a browser makes of it, it never runs under our own origin."""
    answer = Response(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
