"""What billing does. Modules with handlers of Stripe's events are named in `handlers`."""
