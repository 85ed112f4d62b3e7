# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md is as Galaxy, the community and the certification want it, and names what there is."""

from __future__ import annotations

import re

import pytest
import yaml

from .pages import GUIDES, ROOT, blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
NAME = f"{GALAXY['namespace']}.{GALAXY['name']}"
REPOSITORY = GALAXY["repository"]
SITE = GALAXY["documentation"]

HEADINGS = (
    "Description",
    "Requirements",
    "Installation",
    "Use cases",
    "Included content",
    "Testing",
    "Release notes",
    "Release and deprecation policy",
    "Communication",
    "Support",
    "Contributing",
    "Governance and maintainers",
    "Code of conduct",
    "Related information",
    "License information",
)
"""What the checklists of inclusion and of certification ask for."""


def section(heading: str) -> str:
    """What stands below a heading of the second level."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_it_has_what_the_checklists_ask_for_in_their_order() -> None:
    found = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert [heading for heading in found if heading in HEADINGS] == list(HEADINGS)
    assert README.count("\n# ") == 1 and f"\n# {NAME}\n" in README


def test_links_are_full_urls_and_those_into_the_repository_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert links and all(link.startswith("https://") for link in links)
    paths = re.findall(rf"\]\({re.escape(REPOSITORY)}/(?:blob|tree|raw)/main/([^)#]+)[^)]*\)", README)
    assert paths and all((ROOT / path).exists() for path in paths), paths


@pytest.mark.parametrize(
    "heading, link",
    [
        ("Communication", "https://forum.ansible.com/c/help/6"),
        ("Communication", "https://forum.ansible.com/tag/"),
        ("Communication", "https://docs.ansible.com/ansible/devel/community/communication.html"),
        ("Support", GALAXY["issues"]),
        ("Release notes", f"{REPOSITORY}/blob/main/CHANGELOG.md"),
        ("Release and deprecation policy", "https://semver.org/"),
        ("Contributing", f"{REPOSITORY}/blob/main/CONTRIBUTING.md"),
        ("Code of conduct", "https://docs.ansible.com/ansible/latest/community/code_of_conduct.html"),
        ("License information", f"{REPOSITORY}/blob/main/LICENSE"),
    ],
)
def test_each_section_links_what_it_is_about(heading: str, link: str) -> None:
    assert link in section(heading)


def test_nothing_installs_ansible_and_the_requirements_name_no_core() -> None:
    assert not re.search(r"pip install[^\n]*ansible(-core)?\b", README)
    assert "ansible-core" not in section("Requirements") and "ansible-core" in section("Testing")


def test_the_client_that_it_installs_is_the_one_that_is_required() -> None:
    (required,) = [line.strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line.startswith("opensearch-py")]
    assert f"'{required.replace(' ', '')}'" in README


def test_every_piece_of_content_is_named() -> None:
    there = [path.stem for kind in ("modules", "filter") for path in (ROOT / "plugins" / kind).glob("[!_]*.py")]
    there += [path.stem for path in (ROOT / "playbooks").glob("*.yml")] + [path.name for path in (ROOT / "roles").iterdir()]
    assert sorted(set(re.findall(rf"`{re.escape(NAME)}\.(\w+)`", section("Included content")))) == sorted(there)


def test_every_guide_is_named() -> None:
    named = re.findall(rf"\]\({re.escape(SITE)}docsite/(\w+)\.html\)", section("Guides"))
    assert set(named) == {path.stem for path in GUIDES.glob("*.rst")}


def test_it_is_installed_from_galaxy_first_and_from_the_repository_to_develop() -> None:
    commands = re.findall(r"^ansible-galaxy collection install (.*)$", section("Installation"), re.MULTILINE)
    assert commands[0] == NAME and f"{NAME} --upgrade" in commands and f"git+{REPOSITORY}.git" in commands[1:]
    (requirements,) = [block for block in blocks(ROOT / "README.md") if block.file == "requirements.yml"]
    assert [one["name"] for one in yaml.safe_load(requirements.text)["collections"]] == [NAME]


RANGED = [ROOT / "README.md", *sorted(GUIDES.glob("*.rst")), *sorted((ROOT / "examples").rglob("requirements.yml"))]


def test_the_ranges_that_are_shown_hold_the_version_that_is_next() -> None:
    major = int(GALAXY["version"].split(".")[0])
    shown = [(path, one) for path in RANGED for one in re.findall(r">=(\d+)\.0\.0,<(\d+)\.0\.0", path.read_text(encoding="utf-8"))]
    assert {path.name for path, _range in shown} >= {"README.md", "requirements.yml", "guide_roles_and_reports.rst"}
    assert [(path, one) for path, one in shown if one != (str(major), str(major + 1))] == []
