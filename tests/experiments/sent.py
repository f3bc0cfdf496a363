"""What clients send, as the tests of messages write it."""

import json
from typing import Any

from experiments.messages import Parsed, parse_body
from tests.samples import NOW


def parse(document: Any, implied_type: str | None = None) -> Parsed:
    return parse_body(json.dumps(document).encode(), implied_type=implied_type, received_at=NOW)


def track(**changes: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": "purchase", "messageId": "m1", **changes}
