"""Operations on readouts."""

from experiments.roles import Scope
from web.api.operation import managed
from web.api.orders import MoveOrder, ReadoutOptions
from web.api.replies import Page

_LINE = {"id": 31, "as_of": "2026-03-15T09:30:00+00:00", "phase": 1, "recommendation": "keep_running"}
_NONE_YET = {404: "No such experiment, or not analysed yet."}

READOUTS = (
    managed(
        "GET /experiments/{key}/readout",
        "show_readout",
        Scope.READ,
        "Show an experiment's latest readout.",
        "The same document as the command line prints. Probabilities are never rounded in it; what is "
        "unlimited or unknown is null. With ?sentences=1 it also says what the pages say, word for word, in "
        "the language that Accept-Language asks for.",
        query=ReadoutOptions,
        statuses=_NONE_YET,
    ),
    managed(
        "GET /experiments/{key}/readouts",
        "list_readouts",
        Scope.READ,
        "List an experiment's stored readouts.",
        "The newest first. None of them ever changes.",
        query=Page,
        answer={"readouts": [_LINE], "next": None},
    ),
    managed(
        "GET /experiments/{key}/readouts/{id}",
        "show_stored_readout",
        Scope.READ,
        "Show one stored readout.",
    ),
    managed(
        "GET /experiments/{key}/readouts/{id}/verification",
        "verify_readout",
        Scope.READ,
        "Compute a stored readout again from its moments, and compare every byte.",
        answer={"experiment": "checkout", "id": 31, "same": True, "made_by": "0.1.0", "verified_by": "0.1.0"},
    ),
    managed(
        "POST /experiments/{key}/analyses",
        "ask_for_analysis",
        Scope.WRITE,
        "Ask for a fresh readout.",
        "The worker makes it at its next look, within half a minute; ask for the latest readout then. One "
        "that was made after analysis_asked_at is the one that was asked for.",
        draft=MoveOrder,
        body={},
        answer={"experiment": "checkout", "analysis_asked_at": "2026-03-15T09:30:00+00:00"},
        statuses={202: "It was asked for.", 409: "It has not started, so there is nothing to read."},
    ),
)
