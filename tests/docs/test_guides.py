# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides list is what the modules, the matrix and the repository have, and every guide is on the site."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from typing import Any

import yaml
from docutils import nodes

from tests.matrix.rows import ROWS

from .pages import GUIDES, PAGES, ROOT, blocks, document

COLLECTION = "ansible_collections.opensearch_ops.flow_framework.plugins."
DOCSITE = GUIDES.parent
FATES: Any = importlib.import_module(COLLECTION + "module_utils._internal.fates")


def table(guide: str, heading: str) -> list[list[str]]:
    """The rows of the table in a section of a guide, without its heading."""
    page = document((GUIDES / guide).read_text(encoding="utf-8"))
    (section,) = [one for one in page.findall(nodes.section) if one[0].astext() == heading]
    (body,) = section.findall(nodes.tbody)
    return [[cell.astext() for cell in row.findall(nodes.entry)] for row in body.findall(nodes.row)]


def options(module: str) -> dict[str, Any]:
    """The options that a module documents itself."""
    loaded: dict[str, Any] = yaml.safe_load(importlib.import_module(COLLECTION + "modules." + module).DOCUMENTATION)["options"]
    return loaded


def connection_options() -> dict[str, Any]:
    """Those that all of them share."""
    text = importlib.import_module(COLLECTION + "doc_fragments.connection").ModuleDocFragment.DOCUMENTATION
    loaded: dict[str, Any] = yaml.safe_load(text)["options"]
    return loaded


def as_yaml(default: object) -> str:
    """A default as a playbook would have it."""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_guards_and_limits_have_the_defaults_of_the_module() -> None:
    known = {**options("workflow_deprovision"), **connection_options()}
    rows = [*table("guide_safety.rst", "Guards"), *table("guide_many_workflows.rst", "Time limits")]
    assert len(rows) == 12
    for name, default, _meaning in rows:
        assert default == as_yaml(known[name].get("default", "")), name


def test_what_finds_workflows_are_the_options_of_the_module() -> None:
    assert [row[0] for row in table("guide_many_workflows.rst", "Find them")] == list(options("workflow_info"))


def test_statuses_are_those_of_the_plan() -> None:
    rows = table("guide_safety.rst", "What status says")
    assert sorted(row[0] for row in rows) == sorted(FATES.STATUSES)
    assert {row[0] for row in rows if row[3] == "yes"} == set(FATES.FAILURES)


def test_what_counts_as_a_change_is_what_the_code_counts() -> None:
    found: dict[str, set[str]] = {status: set() for status in FATES.STATUSES}
    for status, changed in fates_made():
        found[status].add(changed)
    assert all(found.values())
    for status, _meaning, changed, _failed in table("guide_safety.rst", "What status says"):
        assert found[status] == ({changed} if changed in ("yes", "no") else {"no", "it depends"}), status


def fates_made() -> Iterator[tuple[str, str]]:
    """Each status that the code gives a resource, and whether it counts that as a change there: yes, no, or it depends."""
    for name in ("fates", "plan", "endings"):
        tree = ast.parse((ROOT / "plugins" / "module_utils" / "_internal" / f"{name}.py").read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Fate", "replace")):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            status = call.args[1] if len(call.args) > 1 else given.get("status")
            changed = given.get("changed", ast.Constant(False))
            said = ("yes" if changed.value else "no") if isinstance(changed, ast.Constant) else "it depends"
            for one in ast.walk(status) if status else ():
                if isinstance(one, ast.Name) and one.id.lower() in FATES.STATUSES:
                    yield one.id.lower(), said


def test_every_variable_of_the_modules_is_described_and_linked() -> None:
    said = " ".join(line for option in connection_options().values() for line in option["description"])
    true = sorted(set(re.findall(r"E\((OPENSEARCH_[A-Z_]+)\)", said)))
    described = re.findall(r"^\.\. envvar:: (\w+)$", (GUIDES / "guide_authentication.rst").read_text(encoding="utf-8"), re.MULTILINE)
    linked = yaml.safe_load((DOCSITE / "config.yml").read_text(encoding="utf-8"))["envvar_directives"]
    assert sorted(described) == linked == true


def test_what_is_tested_together_is_the_matrix() -> None:
    assert table("guide_compatibility.rst", "What is tested together") == [[row.core, row.python, row.target, row.client] for row in ROWS]


def test_every_part_of_the_repository_is_shown_and_is_there() -> None:
    sections = ("Which file does what", "How to run each kind of test")
    shown = {row[0] for section in sections for row in table("guide_architecture.rst", section)}
    assert [path for path in shown if not (ROOT / path).exists()] == []
    rooms = {f"plugins/module_utils/_internal/{path.name}" for path in (ROOT / "plugins" / "module_utils" / "_internal").glob("[a-z]*.py")}
    for folder in (ROOT / "plugins", ROOT / "tests"):
        rooms |= {f"{folder.name}/{path.name}/" for path in folder.iterdir() if any(path.glob("*.py"))}
    assert rooms <= shown


def test_every_guide_is_on_the_site() -> None:
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    shown = [page for section in sections for page in section["toctree"]]
    assert sorted(shown) == sorted(path.stem for path in GUIDES.glob("*.rst"))


def test_every_guide_says_in_its_label_where_it_is() -> None:
    for path in GUIDES.glob("*.rst"):
        assert f".. _ansible_collections.opensearch_ops.flow_framework.docsite.{path.stem}:\n" in path.read_text(encoding="utf-8"), path.name


def test_the_job_that_is_shown_runs_what_the_page_runs() -> None:
    shown = blocks(GUIDES / "guide_roles_and_reports.rst")
    (job,) = [yaml.safe_load(block.text)["jobs"]["teardown"] for block in shown if block.file.startswith(".github/")]
    (command,) = [step["run"] for step in job["steps"] if step.get("run", "").startswith("ansible-playbook ")]
    assert command in [line for block in shown if block.language == "shell" for line in block.text.splitlines()]
    assert {"OPENSEARCH_URL", "OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD"} <= set(job["env"])


SITE = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["documentation"]
LINKING = [*PAGES, *ROOT.glob("roles/*/README.md"), *ROOT.glob("examples/*/README.md"), *ROOT.glob("changelogs/fragments/*.yml"), ROOT / "CHANGELOG.rst"]


def site() -> dict[str, set[str]]:
    """The pages of the site that `make docs` builds, each with the headings that a link may name; of what is made of plugins none."""
    kinds = {"module": "plugins/modules/*.py", "filter": "plugins/filter/*.py", "role": "roles/*"}
    made = [f"{path.stem}_{kind}.html" for kind, pattern in kinds.items() for path in ROOT.glob(pattern)]
    pages: dict[str, set[str]] = {name: set() for name in ("", "index.html", "changelog.html", "environment_variables.html", *made)}
    for path in GUIDES.glob("*.rst"):
        sections = document(path.read_text(encoding="utf-8")).findall(nodes.section)
        pages[f"docsite/{path.stem}.html"] = {nodes.make_id(section[0].astext()) for section in sections}
    return pages


def test_links_to_the_site_lead_somewhere() -> None:
    pages = site()
    links = [(path, *link) for path in LINKING for link in re.findall(rf"{re.escape(SITE)}([\w./-]*\w|)(?:#([\w-]+))?", path.read_text(encoding="utf-8"))]
    assert {path.name for path, _page, _heading in links} >= {"README.md", "CONTRIBUTING.md"}
    assert [(path.name, page, heading) for path, page, heading in links if page not in pages or (heading and heading not in pages[page])] == []


def test_nobody_is_sent_to_the_source_of_a_guide() -> None:
    """A repository shows it without its links: they are Sphinx's."""
    assert [path.name for path in LINKING if "/docs/docsite/rst/" in path.read_text(encoding="utf-8")] == []


def test_links_into_the_repository_lead_somewhere() -> None:
    for path in GUIDES.glob("*.rst"):
        text = path.read_text(encoding="utf-8")
        for place in re.findall(r"<https://github\.com/opensearch-ops/ansible-flow-framework/(?:blob|tree|raw)/main/([^>#]+)[^>]*>", text):
            assert (ROOT / place).exists(), f"{path.name}: {place}"
