"""What it means: the room that turns moments into readouts.

Here live the algebra of `Moments`, estimators, inference, corrections, the checks on the data, the verdict
and the `Readout`; `analysis.figures` draws them. Here never live a database, an HTTP request, a clock, a
setting or a hidden random state: all of that is handed in, so every number can be computed again.

Decisions of this room
----------------------
- Sufficient statistics are the border. Whatever counts the events hands over `Moments`, and nothing here
  ever needs to see a unit.
- Estimator, scale and inference are three steps that combine freely, and one test gives both the p-value and
  the interval, so the two cannot contradict each other.
- What the data do not allow is a value, `NotEstimable`, with a typed cause; it is never NaN and never p = 1.
- A correction comes with intervals at the level that agrees with its decisions.
- scipy.special is enough for every distribution used here; scipy.stats costs a second to import.
"""

from analysis.bayes import Bayesian
from analysis.comparison import Comparison, Interval, compare
from analysis.errors import Cause, InvalidInput, NotEstimable
from analysis.estimate import Estimate
from analysis.group_sequential import GroupSequential
from analysis.inference import AlwaysValid, FixedHorizon, Inference, Sequential
from analysis.lift import LiftMethod
from analysis.moments import Moments
from analysis.observation import Day, Observation
from analysis.plan import Correction, Direction, Plan, PlannedMetric, Role
from analysis.reading import read
from analysis.readout import Finding, Reading, Readout, Recommendation, Verdict
from analysis.sample_ratio import Check, SequentialCheck, srm, srm_sequential

__all__ = [
    "AlwaysValid",
    "Bayesian",
    "Cause",
    "Check",
    "Comparison",
    "Correction",
    "Day",
    "Direction",
    "Estimate",
    "Finding",
    "FixedHorizon",
    "GroupSequential",
    "Inference",
    "Interval",
    "InvalidInput",
    "LiftMethod",
    "Moments",
    "NotEstimable",
    "Observation",
    "Plan",
    "PlannedMetric",
    "Reading",
    "Readout",
    "Recommendation",
    "Role",
    "Sequential",
    "SequentialCheck",
    "Verdict",
    "compare",
    "read",
    "srm",
    "srm_sequential",
]
