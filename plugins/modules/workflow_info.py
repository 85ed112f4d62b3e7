#!/usr/bin/python
# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workflow_info
short_description: Find OpenSearch Flow Framework workflows, and show what they hold
version_added: 1.0.0
author:
  - opensearch_ops.flow_framework contributors (@opensearch-ops)
description:
  - Finds workflows of OpenSearch Flow Framework by what they are, and shows their state, and for each resource that they recorded whether it really
    exists, how much an index holds, and what a teardown would need or meet.
  - The options that choose hold all at once. Without any of them every workflow is shown. A null or an empty filter is an error, since it would choose more
    than was meant.
  - More than ten workflows are read in a few requests, however many they are. Such a read can be a second behind what others change meanwhile; what it
    does not find is asked for one by one.
  - Sends reads only.
options:
  workflow_id:
    description:
      - Only these workflows. An empty list means none; an empty id, or a null, is an error.
      - For one that does not exist there is a warning, and an entry whose C(state) is V(null) if nothing else is asked for.
    type: list
    elements: str
    default: [<any>]
    aliases: [workflow_ids]
  name:
    description:
      - Only workflows whose template has a name that fits one of these patterns, such as C(pr-*). C(*), C(?), C([abc]) and C([!abc]) are special; upper and
        lower case differ.
      - V(pr-17*) also fits C(pr-170). V(pr-17[!0-9]*) does not, and V(pr-17) fits that name alone.
    type: list
    elements: str
    default: [<any>]
  use_case:
    description:
      - Only workflows whose template has one of these use cases, exactly.
    type: list
    elements: str
    default: [<any>]
  state:
    description:
      - Only workflows in one of these states. C(COMPLETED) is not always complete, see C(status) of their resources.
    type: list
    elements: str
    choices: [NOT_STARTED, PROVISIONING, COMPLETED, FAILED]
    default: [NOT_STARTED, PROVISIONING, COMPLETED, FAILED]
  owner:
    description:
      - Only workflows of these users. It is the user that the state names, who created the workflow, or who tore it down last.
      - Without the security plugin none is recorded, and a search shows it to administrators only; a warning says how many are not known.
    type: list
    elements: str
    default: [<any>]
  older_than:
    description:
      - Only workflows that are at least this old, a number with V(s), V(m), V(h), V(d) or V(w), such as V(90m) or V(7d).
      - The age counts from the begin of provisioning or else from the creation of the template, by the cluster's own clock. A workflow of unknown age is
        neither old nor new.
    type: str
    default: <any>
  newer_than:
    description:
      - Only workflows that are younger than this, written as in O(older_than).
    type: str
    default: <any>
  unchanged_for:
    description:
      - Only workflows to which nothing has happened for at least this long, written as in O(older_than).
      - What counts is the newest of the times that the cluster knows of it. These are the creation and the last change of its template, and begin and end of
        provisioning (or of a deprovision that left something). A workflow of which none is known is not chosen.
    type: str
    default: <any>
  resource_id:
    description:
      - Only workflows that record a resource with one of these ids or names.
    type: list
    elements: str
    default: [<any>]
  orphaned:
    description:
      - V(true) for workflows with a state and no template only, V(false) for those with a template only.
    type: raw
    default: <any>
  look:
    description:
      - Whether to look at the resources on the cluster. V(false) shows what is recorded, which takes fewer requests; RV(resources[].status) is V(null) then,
        and RV(blocked) and RV(unrecorded) are empty.
    type: bool
    default: true
extends_documentation_fragment:
  - opensearch_ops.flow_framework.connection
  - opensearch_ops.flow_framework.attributes
  - opensearch_ops.flow_framework.attributes.action_group
  - opensearch_ops.flow_framework.attributes.info_module
seealso:
  - module: opensearch_ops.flow_framework.workflow_deprovision
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_many_workflows
    description: The guide Many workflows and speed, finding them and tearing them down in one task.
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

# Old preview environments: find them, plan, have the plan reviewed, and tear down what was reviewed.
- name: Find the preview environments of last week and before
  opensearch_ops.flow_framework.workflow_info:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    name: pr-*
    older_than: 7d
    look: false
  register: old

- name: Plan their teardown
  opensearch_ops.flow_framework.workflow_deprovision:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    workflow_id: "{{ old.workflows | map(attribute='workflow_id') }}"
    allow_delete: "{{ reviewed_names }}"
    max_documents: 100000
  check_mode: true
  register: plan
  # Fails as long as reviewed_names does not hold all that plan.blocked shows.
  ignore_errors: true

# reviewed_names is a list in a file that somebody read and approved, never plan.blocked or found.blocked itself; reviewed_plan is the plan_hash beside it.
- name: Tear down what was reviewed, as long as the plan is still the same
  opensearch_ops.flow_framework.workflow_deprovision:
    url: https://search.example.com:9200
    username: "{{ search_user }}"
    password: "{{ search_password }}"
    workflow_id: "{{ old.workflows | map(attribute='workflow_id') }}"
    allow_delete: "{{ reviewed_names }}"
    max_documents: 100000
    plan_hash: "{{ reviewed_plan }}"
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
  description: One entry a workflow, by name and id, or in the order of the task where O(workflow_id) alone was given.
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
    use_case:
      description: The use case of the template; V(null) where there is none or it cannot be read.
      type: str
      returned: always
    owner:
      description: The user that the state names; V(null) where it names none or it is not shown to these credentials.
      type: str
      returned: always
    state:
      description: The state; V(null) where there is no such workflow.
      type: str
      returned: always
    created_time:
      description: When the template was created, in milliseconds since 1970; V(null) where that is not known.
      type: int
      returned: always
    last_updated_time:
      description: When the template was changed last, in milliseconds since 1970; V(null) where that is not known.
      type: int
      returned: always
    provision_start_time:
      description: When provisioning began, in milliseconds since 1970; V(null) where it never did.
      type: int
      returned: always
    provision_end_time:
      description: When provisioning, or a deprovision that left something, ended, in milliseconds since 1970.
      type: int
      returned: always
    age:
      description: Seconds since provisioning began, or else since the template was created, by the clock of O(older_than); V(null) where neither is known.
      type: int
      returned: always
    unchanged:
      description: Seconds since the newest of these times, by the same clock; V(null) where none is known.
      type: int
      returned: always
    orphaned:
      description: Whether there is a state without a template; V(null) where there is no state, or templates cannot be read.
      type: bool
      returned: always
  sample:
    - {workflow_id: qxv8_6EBRIk9XcBbdoa_, name: pr-17, use_case: PREVIEW_ENVIRONMENT, owner: ci, state: COMPLETED, created_time: 1795296098011,
       last_updated_time: 1795296098011,
       provision_start_time: 1795296098039, provision_end_time: 1795296099103, age: 86400, unchanged: 86399, orphaned: false}
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
      description: Whether it exists. V(unknown) where it could not be looked at, V(null) with O(look=false).
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
       status: present, msg: "An index is deleted only if allow_delete names it: add pr-17-docs to allow_delete.", needs_allow_delete: true, documents: 1200,
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
  description: How many resources there are of each status; none of any with O(look=false).
  type: dict
  returned: always
  sample: {present: 8, absent: 0, unknown: 0}
counts:
  description: How many workflows there are, in all and of each state (C(MISSING) without one), and how many resources they record.
  type: dict
  returned: always
  sample: {workflows: 1, resources: 8, NOT_STARTED: 0, PROVISIONING: 0, COMPLETED: 1, FAILED: 0, MISSING: 0}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection, outcome
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.choose import ANY, NO_LIMIT
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.information import information
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.module import run
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.records import STATES


def argument_spec() -> dict[str, Any]:
    return dict(
        connection.argument_spec(),
        workflow_id=dict(type="list", elements="str", default=list(ANY), aliases=["workflow_ids"]),
        name=dict(type="list", elements="str", default=list(ANY)),
        use_case=dict(type="list", elements="str", default=list(ANY)),
        state=dict(type="list", elements="str", choices=list(STATES), default=list(STATES)),
        owner=dict(type="list", elements="str", default=list(ANY)),
        older_than=dict(type="str", default=NO_LIMIT),
        newer_than=dict(type="str", default=NO_LIMIT),
        unchanged_for=dict(type="str", default=NO_LIMIT),
        resource_id=dict(type="list", elements="str", default=list(ANY)),
        orphaned=dict(type="raw", default=NO_LIMIT),
        look=dict(type="bool", default=True),
    )


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    run(module, outcome.no_information(), lambda dummy, surveyor: information(module, surveyor))


if __name__ == "__main__":
    main()
