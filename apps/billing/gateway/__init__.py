"""
The only way out to Stripe: one module for each kind of thing that is asked.

Every function here calls the network, so none runs in a transaction; what it returns is
plain JSON. What an answer can be: a value; a refusal (`errors`), after which nothing was
done; or StripeUnavailable, after which nobody knows, and the same question with the same
key is asked again later.
"""
