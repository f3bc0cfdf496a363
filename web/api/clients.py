"""Clients in browsers: what a door must say so that a page of another origin may use it."""

from flask import Blueprint, Response, request

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, if-none-match, x-api-key, x-retry-count, x-evenhand-exposure"
    ),
    "Access-Control-Expose-Headers": "ETag, Retry-After",
    "Access-Control-Max-Age": "600",
    "Vary": "Origin",
}


def allow_browsers(blueprint: Blueprint) -> None:
    """Let pages of any origin use a door. Keys travel in headers, never in cookies, so no credentials."""

    @blueprint.before_request
    def preflight() -> Response | None:
        return Response(status=204) if request.method == "OPTIONS" else None

    @blueprint.after_request
    def permit(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
