"""How a page, or one resource, does what a request to another resource would do."""

from simulator.core.call import Call, Given
from simulator.core.errors import no_such_address
from simulator.core.http import Request
from simulator.core.routing import match
from simulator.core.transaction import Transaction
from simulator.core.values import Object


def perform(tx: Transaction, method: str, path: str, **params: object) -> Object:
    """
    Do what a request does, inside of this transaction; return the object, to be changed at will.

    The parameters must have the types that the description wants: nothing checks them here.

    :raises StripeError: as the operation does.
    """
    found = match(method, path)
    if found is None or found[0].operation is None:
        raise no_such_address(method, path)
    route, placeholders = found
    given = {name: value for name, value in params.items() if value is not None}
    call = Call(tx, Request(method, path, "", "", {}), placeholders, Given(given))
    answer: Object = route.function(call)
    return answer
