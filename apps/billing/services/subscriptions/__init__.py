"""The life of a subscription, one module for each thing that happens to it."""
