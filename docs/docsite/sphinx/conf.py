# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the site that `make docs` builds."""

from __future__ import annotations

from typing import Any

from docutils import nodes

project = "opensearch_ops.flow_framework"
copyright = "opensearch_ops.flow_framework contributors"
html_title = "opensearch_ops.flow_framework"
html_short_title = "flow_framework"

extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["names.css"]
pygments_style = "ansible"
highlight_language = "yaml+jinja"

# Labels of Ansible's own documentation, and their places. Intersphinx would ask its server at every build.
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def link_to_ansible(_app: Any, _environment: Any, node: Any, content: nodes.Node) -> nodes.reference | None:
    """A link for a label that no page here has; None for one that nobody knows, which is an error."""
    place = LABELS.get(node.get("reftarget", ""))
    return nodes.reference("", "", content, refuri=ANSIBLE + place, internal=False) if place else None


def setup(app: Any) -> None:
    app.connect("missing-reference", link_to_ansible)
