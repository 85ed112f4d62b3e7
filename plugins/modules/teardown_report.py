#!/usr/bin/python
# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: teardown_report
short_description: Write the report of a plan or a teardown
version_added: 1.0.0
author:
  - opensearch_ops.flow_framework contributors (@opensearch-ops)
description:
  - Makes one report of the results of M(opensearch_ops.flow_framework.workflow_deprovision), and writes it as JSON, Markdown, and one HTML page that needs
    nothing else, with a file of variables for the role P(opensearch_ops.flow_framework.environment_teardown#role)
    that carries the plan out or finishes what is left.
  - The role does so before and after each teardown. Playbooks of your own can too.
  - Everything is written on the controller, in check mode as well. A report is the record of a run and no state that anybody asks for, so it counts as
    no change.
  - Where it cannot be written, the task fails, and returns all the same.
  - It sends nothing, decides nothing, and takes no option that connects.
options:
  action:
    description:
      - What was done. A V(scan) is a V(reap) that only looks.
    type: str
    required: true
    choices: [plan, teardown, reap, scan]
  path:
    description:
      - The files without their extensions, which are C(.json), C(.md), C(.html) and C(.vars.yml). A path that is not absolute begins at the current
        folder. The folder of the files is made if it is not there.
    type: path
    required: true
  started:
    description:
      - When it began, as the report shall show it.
    type: str
    required: true
  ended:
    description:
      - When it ended. Not set as long as it goes on; the report is marked as unfinished then.
    type: str
  by:
    description:
      - Who did it.
    type: str
    default: ""
  choosing:
    description:
      - How the workflows were chosen.
    type: dict
    default: {}
  options:
    description:
      - The options of the teardown as they were given to it, none that connects, and C(snapshot_repository) and C(snapshot_timeout) where a snapshot comes
        first.
      - The file of variables hands them to the command in the report. Without them that command makes another plan, and is refused.
    type: dict
    default: {}
  workflow_id:
    description:
      - The workflows that were found. Not set where that is not known.
      - The file of variables hands them to the command in the report. Without them, and without O(choosing), that command does not work.
    type: list
    elements: str
  plan:
    description:
      - The result of M(opensearch_ops.flow_framework.workflow_deprovision) in check mode.
    type: dict
    default: {}
  approved_hash:
    description:
      - The hash of the plan that was approved, where one was.
    type: str
    default: ""
  approved_lines:
    description:
      - The lines of that plan, to show what differs.
    type: list
    elements: str
    default: []
  outcome:
    description:
      - The result of the teardown.
    type: dict
    default: {}
  snapshot:
    description:
      - The result of M(opensearch_ops.flow_framework.index_snapshot).
    type: dict
    default: {}
  failure:
    description:
      - Why it failed. Where it is empty, and the last of O(plan) and O(outcome) has failed, it is the message of that.
    type: str
    default: ""
extends_documentation_fragment:
  - opensearch_ops.flow_framework.attributes
attributes:
  action:
    support: full
    details:
      - Runs on the controller only.
  async:
    support: none
  check_mode:
    support: full
    details:
      - Writes the report in check mode as well.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: opensearch_ops.flow_framework.workflow_deprovision
  - ref: ansible_collections.opensearch_ops.flow_framework.docsite.guide_roles_and_reports
    description: The guide Roles and reports, what a report holds and how its command goes on.
"""

EXAMPLES = r"""
- name: Tear down, and report whatever comes of it
  vars:
    guards:
      on_blocked: keep
  block:
    - name: Keep when it began
      ansible.builtin.set_fact:
        began: "{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}"

    - name: Plan
      opensearch_ops.flow_framework.workflow_deprovision:
        url: https://search.example.com:9200
        workflow_id: "{{ preview_workflow_id }}"
        on_blocked: "{{ guards.on_blocked }}"
      check_mode: true
      register: plan

    - name: Tear down
      opensearch_ops.flow_framework.workflow_deprovision:
        url: https://search.example.com:9200
        workflow_id: "{{ preview_workflow_id }}"
        on_blocked: "{{ guards.on_blocked }}"
        plan_hash: "{{ plan.plan_hash }}"
      register: outcome
  always:
    - name: Report
      opensearch_ops.flow_framework.teardown_report:
        action: teardown
        path: "{{ playbook_dir }}/reports/pr-17"
        started: "{{ began }}"
        ended: "{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}"
        workflow_id: "{{ preview_workflow_id }}"
        options: "{{ guards }}"
        plan: "{{ plan }}"
        outcome: "{{ outcome | default({}) }}"
"""

RETURN = r"""
report:
  description: The report, as in the JSON file.
  type: dict
  returned: always
  sample: {format: 1, action: teardown, status: done, confirm: qxv8_6EBRIk9XcBbdoa_, finish: ""}
text:
  description: The report in lines, for a terminal.
  type: list
  elements: str
  returned: always
  sample: ["done: 1 workflow: 8 resources deleted, 1 model group left on the cluster"]
stats:
  description: What the role hands on by C(set_stats). It is short.
  type: dict
  returned: always
  sample: {environment_teardown_result_of_teardown: {status: done}}
"""
