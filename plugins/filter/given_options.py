# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: given_options
short_description: Options of a module from what variables and surveys hold
version_added: 1.0.0
author:
  - opensearch_ops.flow_framework contributors (@opensearch-ops)
description:
  - Leaves out what is not set. A blank text counts as not set, since a survey of AWX answers with one where nobody wrote anything.
  - Makes lists of texts, for options that are lists. A null, C(false), C(0) and an empty list stay as they are, since they are answers.
options:
  _input:
    description: Names of options, with what was given for each.
    type: dict
    required: true
  lists:
    description: The names of those that are lists. Their items may be written one a line, or with commas between them.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what a survey answered
  ansible.builtin.debug:
    msg: "{{ {'name': 'pr-17, pr-18', 'owner': '', 'max_workflows': 0} | opensearch_ops.flow_framework.given_options(['name', 'owner']) }}"
    # {'name': ['pr-17', 'pr-18'], 'max_workflows': 0}
"""

RETURN = r"""
_value:
  description: The options that are set.
  type: dict
"""


def given_options(given: Mapping[str, Any], lists: Iterable[str] = ()) -> dict[str, Any]:
    """The options that are set, the lists among them as lists."""
    if not isinstance(given, Mapping):
        raise AnsibleFilterError("given_options needs a dictionary, not %s." % type(given).__name__)
    named = frozenset(lists)
    return {name: items_of(value) if name in named else value for name, value in given.items() if not is_blank(value)}


def is_blank(value: Any) -> bool:
    """Whether nobody wrote anything."""
    return isinstance(value, str) and not value.strip()


def items_of(value: Any) -> Any:
    """The items of a text, one a line or with commas between them; anything else as it is."""
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.replace(",", "\n").splitlines() if item.strip()]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        return {"given_options": given_options}
