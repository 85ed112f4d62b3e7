# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: environments are provisioned on a simulated server, and real playbooks tear them down.

    make demo

Acts (acts.py) run playbooks (playbooks/) and compare what they said with what the server sees (cast.py).
"""
