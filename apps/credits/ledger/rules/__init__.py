"""
What each command does, one file each.

`apply` moves credits in the book or raises the refusal, before it has moved anything;
`is_same` tells whether what was done earlier under the reference is what is asked now.
"""
