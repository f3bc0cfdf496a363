"""Clients in browsers: what a door must say so that a page of another origin may use it."""

from flask import Blueprint, Response, request

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
    "Vary": "Origin",
}
"""What every answer says."""

PREFLIGHT = {
    **HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, if-none-match, x-api-key, x-retry-count, x-evenhand-exposure"
    ),
    "Access-Control-Max-Age": "600",
}
"""What the answer to a browser's question beforehand says, too."""


def allow_browsers(blueprint: Blueprint) -> None:
    """Let pages of any origin use a door. Keys travel in headers, never in cookies, so no credentials."""

    @blueprint.before_request
    def preflight() -> Response | None:
        return Response(status=204) if request.method == "OPTIONS" else None

    @blueprint.after_request
    def permit(response: Response) -> Response:
        for name, value in (PREFLIGHT if request.method == "OPTIONS" else HEADERS).items():
            response.headers.setdefault(name, value)
        return response
