#!/usr/bin/python
# Copyright: (c) 2026, opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workflow_info
short_description: Show what OpenSearch Flow Framework workflows hold
version_added: 1.0.0
author:
  - opensearch_ops.flow_framework contributors (@opensearch-ops)
description:
  - Shows the state of workflows of OpenSearch Flow Framework, and for each resource that they recorded whether it really exists, how much an index
    holds, and what a teardown would need or meet.
  - Sends reads only.
options:
  workflow_id:
    description:
      - The workflows to look at. An empty list is fine; an empty id is an error.
    type: list
    elements: str
    required: true
    aliases: [workflow_ids]
extends_documentation_fragment:
  - opensearch_ops.flow_framework.connection
  - opensearch_ops.flow_framework.attributes
  - opensearch_ops.flow_framework.attributes.action_group
  - opensearch_ops.flow_framework.attributes.info_module
seealso:
  - module: opensearch_ops.flow_framework.workflow_deprovision
"""

EXAMPLES = r"""
- name: Look at an environment
  opensearch_ops.flow_framework.workflow_info:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    workflow_id: "{{ preview_workflow_id }}"
  register: found

- name: Show what a teardown would need in allow_delete
  ansible.builtin.debug:
    var: found.blocked
"""

RETURN = r"""
msg:
  description: Why the module failed.
  type: str
  returned: failure
  sample: "https://search.example.com:9200 cannot be reached: Connection refused. Check url, and whether the node is up."
server:
  description: The cluster. V(null) where it was not asked, for an empty list of workflows or options that cannot be used.
  type: dict
  returned: always
  contains:
    version:
      description: The version of OpenSearch; V(null) where these credentials may not read it.
      type: str
      returned: always
    flow_framework:
      description: The version of the Flow Framework plugin, the lowest of all nodes.
      type: str
      returned: always
    cluster_name:
      description: The name of the cluster; V(null) where these credentials may not read it.
      type: str
      returned: always
    cluster_uuid:
      description: The uuid of the cluster; V(null) where these credentials may not read it.
      type: str
      returned: always
  sample: {version: 3.6.0, flow_framework: 3.6.0.0, cluster_name: preview, cluster_uuid: PxlriicRQguYK_wF75Z9Kw}
workflows:
  description: One entry a workflow, in the order of the task.
  type: list
  elements: dict
  returned: always
  contains:
    workflow_id:
      description: The id.
      type: str
      returned: always
    name:
      description: The name of the template; V(null) where there is none or it cannot be read.
      type: str
      returned: always
    state:
      description: The state; V(null) where there is no such workflow.
      type: str
      returned: always
    provision_start_time:
      description: When provisioning began, in milliseconds since 1970; V(null) where it never did.
      type: int
      returned: always
    provision_end_time:
      description: When provisioning, or a deprovision that left something, ended, in milliseconds since 1970.
      type: int
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, name: pr-17, state: COMPLETED, provision_start_time: 1795296098039, provision_end_time: 1795296099103}
resources:
  description: One entry a workflow and resource. A model that was registered and deployed is one.
  type: list
  elements: dict
  returned: always
  contains:
    workflow_id:
      description: The workflow that recorded it.
      type: str
      returned: always
    kind:
      description: What it is.
      type: str
      returned: always
      choices: [connector, model, model_group, agent, index, ingest_pipeline, search_pipeline, other]
    type:
      description: What the server calls its type.
      type: str
      returned: always
    id:
      description: Its id or name.
      type: str
      returned: always
    uuid:
      description: The uuid of an index; else V(null).
      type: str
      returned: always
    steps:
      description: The steps of the template that recorded it.
      type: list
      elements: str
      returned: always
    status:
      description: Whether it exists. V(unknown) where it could not be looked at.
      type: str
      returned: always
      choices: [present, absent, unknown]
    msg:
      description: What a teardown would need for it, or meet; empty where it would just go.
      type: str
      returned: always
    needs_allow_delete:
      description: Whether a teardown deletes it only when it is named.
      type: bool
      returned: always
    documents:
      description: The documents of an index; V(null) for anything else, and where the number cannot be trusted.
      type: int
      returned: always
    size_in_bytes:
      description: The size of an index with its replicas; else V(null).
      type: int
      returned: always
    used_by:
      description: What uses it, as C(kind/id).
      type: list
      elements: str
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, kind: index, type: index_name, id: pr-17-docs, uuid: S1n0PO6eR2ihmbMahVVcog, steps: [create_index],
       status: present, msg: "Deleting an index needs your word: add pr-17-docs to allow_delete.", needs_allow_delete: true, documents: 1200,
       size_in_bytes: 884736, used_by: []}
blocked:
  description: What O(opensearch_ops.flow_framework.workflow_deprovision#module:allow_delete) would have to name.
  type: list
  elements: str
  returned: always
  sample: [pr-17-docs]
unrecorded:
  description: What a template names literally, that exists, and that no record holds. No teardown deletes it.
  type: list
  elements: dict
  returned: always
  contains:
    workflow_id:
      description: The workflow whose template names it.
      type: str
      returned: always
    kind:
      description: What it is.
      type: str
      returned: always
    id:
      description: Its id or name.
      type: str
      returned: always
    command:
      description: The request that would delete it.
      type: str
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, kind: index, id: pr-17-logs, command: DELETE /pr-17-logs}
summary:
  description: How many resources there are of each status.
  type: dict
  returned: always
  sample: {present: 8, absent: 0, unknown: 0}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils import connection, outcome
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils.module import refuse_masking, run, warn, workflow_ids
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils.plan import Options, make_plan
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils.survey import Surveyor


def argument_spec() -> dict[str, Any]:
    return dict(connection.argument_spec(), workflow_id=dict(type="list", elements="str", required=True, aliases=["workflow_ids"]))


def information(module: AnsibleModule, surveyor: Surveyor) -> dict[str, Any]:
    ids = workflow_ids(module.params["workflow_id"])
    if not ids:
        return outcome.no_information()
    survey = surveyor.survey(ids)
    refuse_masking(module, survey)
    warn(module, survey.warnings)
    return outcome.information(survey, make_plan(survey, Options(on_blocked="keep", on_shared="keep")))


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    run(module, outcome.no_information(), lambda dummy, surveyor: information(module, surveyor))


if __name__ == "__main__":
    main()
