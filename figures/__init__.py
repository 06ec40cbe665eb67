"""
The figures that say how well a promise is kept, one a line, by `make figures-N`.

Each is measured together with a control: the same run with the guard removed, which
must go wrong. A check that would not notice a missing guard proves nothing.
"""

import os

import django

import tests.environment  # noqa: F401  sets the addresses before Django's settings are read

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()  # before any module of ours is imported, so that they may import models
