"""Usage: which experiments and segments stand on a segment."""

from sqlmodel import Session

from assignment import condition_from_json
from assignment.targeting import segments_in
from experiments.catalog import Experiment, list_experiments
from experiments.eligibility import conditions_of, list_segments
from experiments.lifecycle import Status


def segment_users(*, session: Session) -> dict[str, list[Experiment]]:
    """The experiments that use each segment, directly or through another one, by its key."""
    conditions = conditions_of(list_segments(session=session))
    users: dict[str, list[Experiment]] = {key: [] for key in conditions}
    for each in list_experiments(session=session):
        draft = each.definition
        if each.status is Status.ARCHIVED:
            continue
        reached: set[str] = set(draft.segments) & conditions.keys()
        waiting = set() if draft.targeting is None else set(segments_in(condition_from_json(draft.targeting)))
        while waiting:
            name = waiting.pop()
            if name in conditions and name not in reached:
                reached.add(name)
                waiting |= set(segments_in(conditions[name]))
        for name in reached:
            users[name].append(each)
    return users
