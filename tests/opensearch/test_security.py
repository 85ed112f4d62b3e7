# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and configuration of the security plugin, as far as they can be seen without it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.opensearch import security
from tests.simulator.security import default_users


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> security.Certificates:
    return security.Certificates(tmp_path_factory.mktemp("certificates"))


def test_every_user_of_the_simulator_has_a_password_and_a_certificate(certificates: security.Certificates) -> None:
    assert set(security.HASHES) == set(default_users())
    assert set(certificates.clients) == {*default_users(), security.SUPERADMIN}


def test_the_subjects_are_those_that_the_settings_name(certificates: security.Certificates) -> None:
    settings = security.settings()
    for setting, (certificate, _other) in (
        ("plugins.security.authcz.admin_dn", certificates.clients[security.SUPERADMIN]),
        ("plugins.security.nodes_dn", certificates.node),
    ):
        subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
        assert settings[setting] == [subject.rfc4514_string()]


def test_keys_are_in_the_only_format_that_the_plugin_reads_and_fit_their_certificates(certificates: security.Certificates) -> None:
    for certificate, key in (certificates.node, *certificates.clients.values()):
        assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_every_user_gets_the_roles_that_the_simulator_gives() -> None:
    mapping = security.roles_mapping()
    for user in default_users().values():
        mapped = {
            role for role, by in mapping.items() if {user.name, "*"} & set(by.get("users", [])) or set(user.backend_roles) & set(by.get("backend_roles", []))
        }
        assert mapped == set(user.roles)


def test_the_paths_in_the_settings_are_files_that_are_written(certificates: security.Certificates, tmp_path: Path) -> None:
    home, config = tmp_path / "home", tmp_path / "config"
    (home / "config" / "opensearch-security").mkdir(parents=True)
    config.mkdir()
    security.write(config, home, certificates)
    paths = [value for name, value in security.settings().items() if name.endswith("_filepath")]
    assert len(paths) == 6
    assert all((config / path).is_file() for path in paths)
