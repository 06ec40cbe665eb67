"""What browsers may load and run: one policy for customers' pages, another for the back office."""

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

# Nothing inline, nothing from another host; forms lead to us or to Stripe's own pages.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, "https://checkout.stripe.com", "https://billing.stripe.com"],
    },
}

# Unfold computes the expressions in its attributes (Alpine) and sets widths by style. What is
# shown there comes from customers too, so scripts that stand in a page do not run there either.
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "object-src": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "form-action": [SELF],
}

# What the pages about the API ask beside the customers' policy. Redoc writes style elements,
# which carry the nonce of the answer, and searches in a worker of its own making.
DOCUMENTATION = {"style-src": [SELF, NONCE], "worker-src": [SELF, "blob:"]}
