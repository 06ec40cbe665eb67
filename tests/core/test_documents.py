"""Documents, and what making one must not change for the rest of the process."""

import pytest
from PIL import ImageFile

from apps.core.documents import render_pdf
from apps.core.errors import PdfUnavailable
from apps.jobs.errors import PictureRefused
from apps.jobs.services.pictures import inspect
from tests.jobs.work import picture


class TestRenderPdf:
    def test_leaves_damaged_pictures_refused(self):
        """WeasyPrint lets Pillow take them, in the whole process, as soon as it is imported."""
        try:
            document = render_pdf("credits/_kind_words.html", {"kind": "trial"})
        except PdfUnavailable:
            pytest.skip("This machine has no Pango.")

        assert document.startswith(b"%PDF")
        assert not ImageFile.LOAD_TRUNCATED_IMAGES
        with pytest.raises(PictureRefused, match="damaged"):
            inspect(picture()[:120])
