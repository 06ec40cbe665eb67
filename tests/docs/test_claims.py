"""What the documents name exists: files, commands, settings."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.urls import Resolver404, resolve

from tests.authorization.resolver import methods_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
NOT_OURS = ("/_sim/", "/api/partner/")  # the simulator's, and those of the former system


def text_of(document: Path) -> str:
    return document.read_text()


def answers(verb: str, path: str) -> bool:
    """Tell whether there is a view for an address as documents write it: below /api/v1, mostly."""
    path = re.sub(r"[^/]*[\u2026{<][^/]*", "x", path.partition("?")[0])
    try:
        view = resolve(path if path.startswith(("/api/", "/o/")) else f"/api/v1{path}").func
    except Resolver404:
        return False
    return verb in methods_of(view)


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
class TestADocument:
    def test_links_to_what_is_there(self, document):
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(document))
        local = [link for link in links if not link.startswith(("http://", "https://", "mailto:"))]

        assert [link for link in local if not (document.parent / link).exists()] == []

    def test_names_commands_that_exist(self, document):
        makefile = (ROOT / "Makefile").read_text()
        targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.M))
        named = set(re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z0-9-]+)", text_of(document)))

        assert named - {"figures-N"} <= targets

    def test_names_management_commands_that_exist(self, document):
        ours = {path.stem for path in ROOT.glob("*/**/management/commands/*.py")}
        djangos = {"migrate", "shell", "check", "makemigrations", "createsuperuser", "demo"}
        named = set(re.findall(r"manage\.py ([a-z_]+)", text_of(document)))

        assert named <= ours | djangos

    def test_names_files_that_exist(self, document):
        folders = "apps|config|embedded|tests|figures|bench|demo|scripts|templates|static|docs"
        named = re.findall(rf"`((?:{folders})/[\w./-]+)`", text_of(document))

        assert [name for name in named if not (ROOT / name).exists()] == []

    def test_names_addresses_that_exist(self, document):
        there = re.sub(r"(?s)### Removed\n.*?(?=\n##)", "", text_of(document))
        named = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`]+)", there)
        asked = [(verb, path) for verb, path in named if not path.startswith(NOT_OURS)]
        pages = re.findall(r"`(/o/<slug>/[^\s`]*)`", there)

        assert [one for one in asked if not answers(*one)] == []
        assert [one for one in pages if not answers("GET", one)] == []


class TestTheSettings:
    def test_are_all_explained_and_no_others(self):
        calls = (
            node
            for name in ("settings.py", "storage.py")
            for node in ast.walk(ast.parse((ROOT / "config" / name).read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "env"
        )
        read = {call.args[0].value for call in calls}
        asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
        explained = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.M))

        assert explained == read | asked

    def test_of_compose_give_the_owners_password_to_no_service_but_migrate(self):
        services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        ours = {name: one for name, one in services.items() if "env_file" in one}
        assert ours.keys() == {"web", "worker", "pictures", "beat", "migrate"}

        knows = [
            name
            for name, one in ours.items()
            if one["environment"].get("POSTGRES_PASSWORD") != ""
            or "POSTGRES_PASSWORD" in str([*one["environment"].values()])
        ]

        assert knows == ["migrate"]


class TestTheTree:
    def test_holds_no_address_of_a_package_index(self):
        tracked = subprocess.run(
            ["git", "ls-files", "requirements.lock", "frontend"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        files = [ROOT / name for name in tracked if (ROOT / name).is_file()]

        assert [
            f for f in files if re.search(r"https?://\S+/(simple|packages)/", f.read_text())
        ] == []
