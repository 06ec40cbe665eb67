"""
Take over the rows of a former system from files: read, match, report, and only then write.

For commands of whoever runs the instance: a file is as large as a table was, so it is read row by
row. What customers and staff upload on pages is another matter, and much smaller.
"""

from apps.core.imports.reading import FormerFile, FormerRow, Unfit, UnreadableFile
from apps.core.imports.reporting import Report

__all__ = ["FormerFile", "FormerRow", "Report", "Unfit", "UnreadableFile"]
