"""The page of a replay: one file that opens anywhere, with nothing to fetch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import flask_babel
from bokeh.resources import Resources
from flask import Flask

from analysis.figures import ReplayWords, draw_coverage, draw_p_values
from analysis.simulate import PlanOutcome, Replay, p_value_bins
from web import pages
from web.charts import Chart, chart_of
from web.wording import numbers
from web.wording.language import gettext, html_tag
from web.wording.replays import plan_lead, plan_lines, replay_lead, replay_lines, replay_title

LANGUAGES = {"en": "en", "zh": "zh_Hans_CN"}
"""Locale ids by the names that the command line takes."""

_PAGE = """<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.6;
font-family: system-ui, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC",
sans-serif; }}
th {{ text-align: start; font-weight: normal; padding-inline-end: 2rem; }}
</style>
{resources}
</head>
<body>
<h1>{title}</h1>
{summary}
{figures}
<script>
{script}
</script>
</body>
</html>
"""

Lines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """A plan that was tried beside the replay, and how."""

    outcome: PlanOutcome
    inference: str
    size: int
    lift: float


def page_of(*, metric: str, outcome: Replay, tried: Tried, language: str) -> str:
    """Write a replay as a page that needs no network, in one of `LANGUAGES`."""
    app = Flask("web")
    pages.register(app)
    with app.app_context(), flask_babel.force_locale(LANGUAGES[language]):
        return _page(metric, outcome, tried)


def _page(metric: str, outcome: Replay, tried: Tried) -> str:
    words = _words(outcome)
    charts = (
        chart_of(
            "p-values",
            draw_p_values(p_value_bins(outcome), words=words),
            gettext("p-values where nothing was done"),
        ),
        chart_of("coverage", draw_coverage(outcome, words=words), gettext("Intervals that held zero")),
    )
    plan = plan_lead(inference=tried.inference, size=tried.size, lift=tried.lift)
    return _PAGE.format(
        tag=html_tag(),
        title=escape(replay_title(metric)),
        resources=Resources(mode="inline", components=["bokeh"]).render(),
        summary=_table(replay_lead(outcome), replay_lines(outcome)) + _table(plan, plan_lines(tried.outcome)),
        figures=_figure(
            charts[0],
            gettext("They should be level: every bar ends inside the grey band that chance explains."),
        )
        + _figure(charts[1], gettext("The dot should lie on the grey range around what was promised.")),
        script=_script(charts),
    )


def _words(outcome: Replay) -> ReplayWords:
    return ReplayWords(
        format_count=numbers.whole,
        format_p=lambda p: numbers.number(p, 2),
        format_share=lambda share: numbers.percent(share, 1),
        p_value=gettext("p-value"),
        replays=gettext("Replays"),
        expected=gettext("Expected"),
        coverage=gettext("Coverage"),
        promised=numbers.percent(outcome.confidence),
    )


def _table(lead: str, lines: Lines) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in lines
    )
    return f"<p>{escape(lead)}</p><table>{rows}</table>"


def _figure(chart: Chart, text: str) -> str:
    return f'<h2>{escape(chart.label)}</h2><p>{escape(text)}</p><div id="{chart.id}"></div>'


def _script(charts: Sequence[Chart]) -> str:
    """Draw the figures; no text in them can end the script's element."""
    items = ((json.dumps(chart.item).replace("<", "\\u003c"), chart.id) for chart in charts)
    return "\n".join(f'Bokeh.embed.embed_item({item}, "{name}");' for item, name in items)
