"""
What jobs do. A runner knows pictures and parameters, and neither database nor credits.

To add one: write a module with a class that fits `protocol.Runner`, and name it in
`registry`. Its price is a credit event with the name of its operation.
"""
