"""`make figures-7`: credits that partners hand on are all there, and are handed on once."""

import sys

from figures.lines import measure
from figures.partners_files import upload_fuzzed
from figures.partners_guards import programme_guards
from figures.partners_identity import programme_identity
from figures.partners_uploads import same_upload_thrice

PARTS = {
    "identity": programme_identity,
    "uploads": same_upload_thrice,
    "files": upload_fuzzed,
    "guards": programme_guards,
}

if __name__ == "__main__":
    measure(PARTS, sys.argv[1:])
