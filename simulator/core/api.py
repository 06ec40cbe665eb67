"""From a request to a response: who asks, what is asked, do it once, answer."""

import logging
import time
from typing import Any

from simulator.core import description, forms, parameters
from simulator.core.access import (
    authenticate,
    check_account,
    check_form,
    check_publishable,
    check_version,
)
from simulator.core.call import Call, Given
from simulator.core.chaos import Rule, failure, refuse
from simulator.core.errors import StripeError, invalid, no_such_address
from simulator.core.expansion import expand
from simulator.core.http import Request, Response, as_json, encode
from simulator.core.older import unversioned
from simulator.core.routing import Route, match
from simulator.core.values import Object, random_text
from simulator.core.world import World

logger = logging.getLogger("simulator")

KEPT_LINES = 500


class Dropped(Exception):
    """No answer is given: the connection is closed, or reset."""

    def __init__(self, *, reset: bool) -> None:
        self.reset = reset


def handle(world: World, request: Request) -> Response:
    """
    Answer a request.

    :raises Dropped: if chaos wants that there is no answer.
    """
    found = match(request.method, request.path)
    if found is not None and found[0].operation is None:
        return _page(world, request, *found)
    id_ = f"req_{random_text(14)}"
    began = time.perf_counter()
    response = _answer(world, request, id_, found)
    response.headers.setdefault("Request-Id", id_)
    response.headers["Stripe-Version"] = description.api_version()
    if key := request.header("idempotency-key"):
        response.headers["Idempotency-Key"] = key
    _log(world, request, response, time.perf_counter() - began)
    return response


def _page(world: World, request: Request, route: Route, path: dict[str, str]) -> Response:
    """Answer a browser: no key, no description, an error is a short text."""
    try:
        params = Given(forms.decode(request.query) | forms.decode(request.body))
        with world.transaction(base_url=_base_url(world, request)) as tx:
            response: Response = route.function(Call(tx, request, path, params))
            return response
    except StripeError as error:
        return as_json(error.body(), error.status)
    except Exception:
        return _failed(request)


def _failed(request: Request, log_url: str | None = None) -> Response:
    """Log an error that nobody has expected, and own up to it."""
    logger.exception("%s %s failed", request.method, request.path)
    broken = StripeError(500, "api_error", "The simulator failed; see its log.")
    return as_json(broken.body(log_url), 500)


def _answer(
    world: World, request: Request, id_: str, found: tuple[Route, dict[str, str]] | None
) -> Response:
    log_url = f"{_base_url(world, request)}/_sim/requests/{id_}"
    try:
        owner = authenticate(request)
        check_version(request)
        check_account(request, owner)
        check_form(request)
        world.limit.count()
        if found is None:
            raise no_such_address(request.method, request.path)
        hits = world.chaos.for_request(request.method, request.path)
        _before(hits)
        response = _once(world, request, id_, found, owner, log_url)
    except StripeError as error:
        response = as_json(error.body(log_url), error.status)
        if error.code == "rate_limit":
            response.headers["Stripe-Rate-Limited-Reason"] = "global-rate"
        return response
    except Dropped:
        raise
    except Exception:
        return _failed(request, log_url)
    return _after(world, hits, response, log_url)


def _once(
    world: World,
    request: Request,
    id_: str,
    found: tuple[Route, dict[str, str]],
    owner: str,
    log_url: str,
) -> Response:
    """Do it, or repeat the answer that was given to the same idempotency key."""
    key = request.header("idempotency-key") if request.method == "POST" else None
    if not key:
        return _execute(world, request, id_, found, owner, log_url)[0]
    form = f"{request.query}&{request.body}"
    earlier = world.keys.begin(owner, key, request.method, request.path, form)
    if earlier is not None:
        headers = {"Idempotent-Replayed": "true", "Original-Request": earlier.request}
        return Response(earlier.status, earlier.body, headers=headers)
    with world.lock:  # who writes the state to a file sees the effect with its key, or neither
        try:
            response, has_begun = _execute(world, request, id_, found, owner, log_url)
        except BaseException:
            world.keys.release(owner, key)
            raise
        if has_begun:
            world.keys.keep(owner, key, response.status, response.body, id_)
            world.changes += 1
        else:
            world.keys.release(owner, key)
    return response


def _execute(
    world: World,
    request: Request,
    id_: str,
    found: tuple[Route, dict[str, str]],
    owner: str,
    log_url: str,
) -> tuple[Response, bool]:
    """Return the answer, and whether it is to be kept for the idempotency key."""
    route, path = found
    try:
        given = forms.decode(request.query) | forms.decode(request.body)
        check_publishable(owner, route.method, route.template, given.get("client_secret"))
        if request.header("stripe-version") is None:
            given = unversioned.translated(route.method, route.template, given)
        params = Given(parameters.check(route.operation or {}, given))
        paths = params.pop("expand", None) or []
        with world.transaction(
            request=id_,
            idempotency_key=request.header("idempotency-key"),
            base_url=_base_url(world, request),
        ) as tx:
            body = _body(world, route.function(Call(tx, request, path, params)), paths)
            returns = (route.operation or {}).get("returns")
            world.check(f"{request.method} {route.template}", body, returns)
            ignored = _ignored(world, route, params)
    except StripeError as error:
        return as_json(error.body(log_url), error.status), not error.is_validation
    headers = {"Simulator-Ignored": ", ".join(ignored)} if ignored else {}
    return Response(200, encode(body), headers=headers), True


def _ignored(world: World, route: Route, params: Given) -> list[str]:
    """
    Own up to parameters that Stripe has and that nothing was done with.

    :raises StripeError: if the simulator was told to be strict.
    """
    ignored = params.ignored()
    if ignored and world.is_strict:
        raise invalid(
            f"This simulator does nothing with: {', '.join(ignored)} "
            f"({route.method} {route.template}).",
            param=ignored[0],
        )
    for name in ignored:
        world.ignored[f"{route.method} {route.template}", name] += 1
    return ignored


def _body(world: World, result: Object, paths: list[str]) -> Object:
    """Return what a function's result looks like from outside, expanded."""
    body = world.public(result)
    if paths:
        expand(world, body, paths)
    return body


def _before(hits: dict[str, Rule]) -> None:
    """Let chaos strike while nothing has been done."""
    if rule := hits.get("delay_before"):
        time.sleep(rule.seconds)
    refuse(hits)
    _silence(hits, "before")


def _after(world: World, hits: dict[str, Rule], response: Response, log_url: str) -> Response:
    """Let chaos strike when everything has been done."""
    if "webhook_first" in hits:
        world.deliveries.wait_until_idle(10)
    if rule := hits.get("delay_after"):
        time.sleep(rule.seconds)
    _silence(hits, "after")
    if "error_after" in hits:
        return as_json(failure().body(log_url), 500)
    return response


def _silence(hits: dict[str, Rule], when: str) -> None:
    if rule := hits.get(f"timeout_{when}"):
        time.sleep(rule.seconds)
        raise Dropped(reset=False)
    if f"drop_{when}" in hits:
        raise Dropped(reset=False)
    if f"reset_{when}" in hits:
        raise Dropped(reset=True)


def _base_url(world: World, request: Request) -> str:
    host = request.header("host")
    return f"http://{host}" if host else world.base_url


def _log(world: World, request: Request, response: Response, seconds: float) -> None:
    line: dict[str, Any] = {
        "id": response.headers["Request-Id"],
        "at": world.now(),
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "body": request.body[:2000],
        "status": response.status,
        "milliseconds": round(seconds * 1000, 2),
        "answer": response.body,
    }
    world.log.append(line)
    if len(world.log) > 2 * KEPT_LINES:
        del world.log[:KEPT_LINES]
