"""Operations on readouts, their files and the links to them."""

from experiments.roles import Scope
from web.api.operation import managed
from web.api.orders import ExportOptions, MoveOrder, ReadoutOptions, ShareOrder
from web.api.replies import Page

_LINE = {"id": 31, "as_of": "2026-03-15T09:30:00+00:00", "phase": 1, "recommendation": "keep_running"}
_SHARE = {
    "id": 7,
    "readout": 31,
    "created_by": "Ada",
    "created_at": "2026-03-15T09:30:00+00:00",
    "expires_at": "2026-04-14T09:30:00+00:00",
    "revoked_at": None,
    "open": True,
}
_NOTHING_TO_SHARE = "No such experiment or readout, or not analysed yet."
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
        "GET /experiments/{key}/readouts/{id}/export",
        "export_readout",
        Scope.READ,
        "Send one stored readout as a file.",
        "With form=csv its comparisons, rounded nowhere; with form=html the whole report in one file that "
        "fetches nothing; with form=json the report's words, its sentences and the readout; with form=pdf "
        "the report as a Chromium of the server prints it. The language is the one that Accept-Language asks "
        "for.",
        query=ExportOptions,
        statuses={
            501: "No PDF: the server has no Chromium.",
            503: "The browser is busy or failed; try again.",
        },
    ),
    managed(
        "GET /experiments/{key}/shares",
        "list_shares",
        Scope.READ,
        "List the links to an experiment's frozen reports.",
        "The newest first. Their addresses are not kept.",
        query=Page,
        answer={"shares": [_SHARE], "next": None},
    ),
    managed(
        "POST /experiments/{key}/shares",
        "share_readout",
        Scope.WRITE,
        "Make a link by which anybody reads a report, frozen as it is now.",
        "Whoever has the address reads it without signing in, until it expires or is revoked. The address is "
        "shown once: the same request under the same Idempotency-Key does not show it again.",
        draft=ShareOrder,
        body={"days": 30},
        answer={**_SHARE, "address": "https://evenhand.example.com/s/…"},
        statuses={201: "Here is its address, once.", 404: _NOTHING_TO_SHARE},
    ),
    managed(
        "DELETE /experiments/{key}/shares/{id}",
        "revoke_share",
        Scope.WRITE,
        "Withdraw a link for good.",
        answer={**_SHARE, "revoked_at": "2026-03-16T09:30:00+00:00", "open": False},
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
