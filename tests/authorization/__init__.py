"""
The authorization matrix: every route × everyone who may ask × every object he may ask for.

A new route needs one line in `table/`, a new kind of id in an address one line in
`objects.py`, a new permission one line in `codes.py`; each failure says which. What is expected
of a cell is derived from these tables alone, never from the code under test.
"""
