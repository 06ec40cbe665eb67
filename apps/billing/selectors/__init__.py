"""Reading billing: what is offered, what was paid, and how it stands."""
