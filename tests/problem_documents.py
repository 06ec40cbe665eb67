"""What every error of the API must look like (RFC 9457)."""

from jsonschema import Draft202012Validator

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "pattern": "^https?://[^/]+/problems/[a-z0-9-]+$"},
        "title": {"type": "string", "minLength": 3},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "detail": {"type": "string", "minLength": 3},
        "instance": {"type": "string", "pattern": "^/requests/req_"},
        "request_id": {"type": "string", "pattern": "^req_"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "location", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "pattern": "^/"},
                    "location": {"enum": ["body", "query", "header", "path"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def problem_of(response, status: int, code: str | None = None) -> dict:
    """Check that a response is a problem document with this status (and code); return it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    Draft202012Validator(PROBLEM).validate(document)
    assert document["status"] == status
    assert code in (None, document["code"])
    assert document["request_id"] == response.headers["X-Request-ID"]
    return document
