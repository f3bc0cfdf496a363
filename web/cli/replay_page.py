"""The page of a replay: one file that opens anywhere, with nothing to fetch."""

from html import escape

from bokeh.embed import components
from bokeh.resources import Resources

from analysis.figures import ReplayWords, draw_coverage, draw_p_values
from analysis.simulate import Replay, p_value_bins

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }}
pre {{ overflow-x: auto; line-height: 1.4; }}
</style>
{resources}
</head>
<body>
<h1>{title}</h1>
<pre>{summary}</pre>
<h2>p-values where nothing was done</h2>
<p>They should be level: every bar ends inside the grey band that chance explains.</p>
{p_values}
<h2>Intervals that held zero</h2>
<p>The dot should lie on the grey range around what was promised.</p>
{coverage}
{script}
</body>
</html>
"""


def replay_page(*, metric: str, outcome: Replay, summary: str) -> str:
    """Write a replay as a page that needs no network.

    Parameters
    ----------
    summary
        The same numbers as text, as the terminal shows them.
    """
    words = ReplayWords(
        format_count=lambda count: f"{count:,.0f}",
        format_p=lambda p: f"{p:.2f}",
        format_share=lambda share: f"{share:.1%}",
        p_value="p-value",
        replays="Replays",
        expected="Expected",
        coverage="Coverage",
        promised=f"{outcome.confidence:.0%}",
    )
    drawn = (draw_p_values(p_value_bins(outcome), words=words), draw_coverage(outcome, words=words))
    script, (p_values, coverage) = components(drawn)
    return _PAGE.format(
        title=escape(f"A/A replays of {metric}"),
        resources=Resources(mode="inline", components=["bokeh"]).render(),
        summary=escape(summary),
        p_values=p_values,
        coverage=coverage,
        script=script,
    )
