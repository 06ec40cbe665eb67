"""Products, with search."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.resources.catalogue import LISTS, PLAIN, make_price, make_product

KIND = "product"
SEARCHED = ("active", "description", "name", "shippable", "url")


@route("POST", "/v1/products")
def create(call: Call) -> Object:
    """Make a product, and its first price if that is given."""
    product = make_product(call.tx, call.params)
    call.tx.emit("product.created", product)
    if data := call.get("default_price_data"):
        price = make_price(call.tx, {**data, "product": product["id"]}, "default_price_data")
        product["default_price"] = price["id"]
        call.tx.emit("product.updated", product)
    return product


@route("GET", "/v1/products")
def index(call: Call) -> Object:
    """List products."""
    ids = call.get("ids")
    return call.page(
        KIND,
        match=("active", "shippable", "url"),
        keep=None if ids is None else lambda row: row["id"] in ids,
    )


@route("GET", "/v1/products/search")
def search(call: Call) -> Object:
    """Search products."""
    return call.search(KIND, SEARCHED)


@route("GET", "/v1/products/{id}")
def read(call: Call) -> Object:
    """Return a product."""
    return call.tx.get(KIND, call.path["id"])


@route("POST", "/v1/products/{id}")
def update(call: Call) -> Object:
    """Change a product."""
    product = call.tx.get(KIND, call.path["id"])
    product.update(call.only(*PLAIN))
    product.update({name: value or [] for name, value in call.only(*LISTS).items()})
    if "default_price" in call.params:
        price = call.tx.get("price", call["default_price"], "default_price")
        if price["product"] != product["id"]:
            raise invalid(
                f"The price {price['id']} does not belong to this product.", param="default_price"
            )
        product["default_price"] = price["id"]
    if "metadata" in call.params:
        product["metadata"] = merged_metadata(product["metadata"], call["metadata"])
    product["updated"] = call.tx.now()
    call.tx.emit("product.updated", product)
    return product


@route("DELETE", "/v1/products/{id}")
def delete(call: Call) -> Object:
    """Delete a product that was never sold."""
    product = call.tx.get(KIND, call.path["id"])
    if call.tx.where("price", product=product["id"]):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    call.tx.emit("product.deleted", product)
    return call.tx.remove(product)


@route("GET", "/v1/products/{product}/features")
def features(call: Call) -> Object:
    """List a product's features, of which this simulator has none."""
    call.tx.get(KIND, call.path["product"])
    return call.page("product_feature")
