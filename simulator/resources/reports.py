"""Report runs and identity checks: enough to hear their events, not to read their results."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.values import Object, random_text

RUN = "reporting.report_run"
VERIFICATION = "identity.verification_session"
OPEN = ("requires_input",)


@route("POST", "/v1/reporting/report_runs")
def run(call: Call) -> Object:
    """Run a report, which is done at once and has no file."""
    tx = call.tx
    row = tx.new(
        RUN,
        parameters=call.get("parameters", {}),
        report_type=call["report_type"],
        status="succeeded",
        succeeded_at=tx.now(),
    )
    tx.emit("reporting.report_run.succeeded", row)
    return row


@route("GET", "/v1/reporting/report_runs")
def runs(call: Call) -> Object:
    """List report runs."""
    return call.page(RUN)


@route("GET", "/v1/reporting/report_runs/{report_run}")
def read_run(call: Call) -> Object:
    """Return a report run."""
    return call.tx.get(RUN, call.path["report_run"])


@route("POST", "/v1/identity/verification_sessions")
def verify(call: Call) -> Object:
    """Ask somebody to prove who they are."""
    tx = call.tx
    document = {"require_matching_selfie": False, **call.get("options", {}).get("document", {})}
    session = tx.new(
        VERIFICATION,
        metadata=merged_metadata(None, call.get("metadata")),
        options={"document": document} if call.get("type", "document") == "document" else {},
        status="requires_input",
        type=call.get("type", "document"),
        client_reference_id=call.get("client_reference_id"),
        _return_url=call.get("return_url"),
    )
    session["client_secret"] = f"{session['id']}_secret_{random_text(25)}"
    session["url"] = f"{tx.base_url}/_sim/verify/{session['id']}"
    tx.emit("identity.verification_session.created", session)
    tx.emit("identity.verification_session.requires_input", session)
    return session


@route("GET", "/v1/identity/verification_sessions")
def verifications(call: Call) -> Object:
    """List verification sessions."""
    return call.page(VERIFICATION, match=("client_reference_id", "status"))


@route("GET", "/v1/identity/verification_sessions/{session}")
def verification(call: Call) -> Object:
    """Return a verification session."""
    return call.tx.get(VERIFICATION, call.path["session"])


@route("POST", "/v1/identity/verification_sessions/{session}/cancel")
def cancel(call: Call) -> Object:
    """Give a verification up."""
    session = call.tx.get(VERIFICATION, call.path["session"])
    if session["status"] not in OPEN:
        raise invalid(f"This session cannot be canceled: its status is {session['status']}.")
    session.update(status="canceled", url=None, client_secret=None)
    call.tx.emit("identity.verification_session.canceled", session)
    return session


@route("POST", "/v1/identity/verification_sessions/{session}/redact")
def redact(call: Call) -> Object:
    """Forget what was collected."""
    session = call.tx.get(VERIFICATION, call.path["session"])
    session.update(status="canceled", redaction={"status": "redacted"}, url=None)
    session["client_secret"] = None
    call.tx.emit("identity.verification_session.redacted", session)
    return session
