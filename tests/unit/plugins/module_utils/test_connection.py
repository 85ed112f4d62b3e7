# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connection options make, and what really goes over the wire: the other end is a socket on loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import pty
import socket
import ssl
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import trustme
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography.hazmat.primitives import serialization

from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal.connection import (
    AUTHENTICATION,
    Connection,
    ConnectionOptionError,
    Reply,
    connect,
    with_environment,
)

URL = "https://search.example.com:9200"
TIMEOUT = 5.0  # seconds; nothing here takes as long unless it is broken


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the environment of who runs the tests, and no credentials of theirs."""
    for name in list(os.environ):
        if name.startswith(("OPENSEARCH_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def params(**given: Any) -> dict[str, Any]:
    """Module parameters as Ansible makes them of what a task gives: defaults, environment and types."""
    if "url" not in given and "OPENSEARCH_URL" not in os.environ:
        given["url"] = URL
    checked = ArgumentSpecValidator(connection.argument_spec()).validate(given)
    assert not checked.error_messages
    parameters: dict[str, Any] = checked.validated_parameters
    return parameters


def refused(**given: Any) -> ConnectionOptionError:
    with pytest.raises(ConnectionOptionError) as caught:
        connect(params(**given))
    return caught.value


# -- the other end -----------------------------------------------------------------------------------------


class Request:
    """One request as it arrived."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _version = lines[0].split(" ")
        self.headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines[1:])}
        self.body = body


Behaviour = Callable[[socket.socket], None]


def answers(status: int = 200, text: bytes | str = "{}", content_type: str = "application/json", *more: str) -> Behaviour:
    body = text if isinstance(text, bytes) else text.encode("utf-8")
    head = [f"HTTP/1.1 {status} Whatever", f"content-type: {content_type}", f"content-length: {len(body)}", *more]

    def behave(peer: socket.socket) -> None:
        peer.sendall("\r\n".join([*head, "", ""]).encode("ascii") + body)

    return behave


def breaks_off(peer: socket.socket) -> None:
    peer.sendall(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"half":')
    raise ConnectionAbortedError


def resets(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def hangs_up(peer: socket.socket) -> None:
    raise ConnectionAbortedError


def spoils_tls(peer: socket.socket) -> None:
    """A record that fits no key, as after a fault in between."""
    os.write(peer.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))


def says_nothing(peer: socket.socket) -> None:
    """Until the client goes; what it sends in the meantime would be a second request."""


class Loopback:
    """A server that keeps what it was sent, and behaves as it was told. Over TLS when it is given a context."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None, family: int = socket.AF_INET, deaf: bool = False) -> None:
        self.behave = behave
        self.context = context
        self.deaf = deaf  # it answers whatever comes with 400, as a server does to what it does not understand
        self.requests: list[Request] = []
        self.connections = 0
        self.peer_certificates: list[bytes | None] = []
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self._socket.listen(16)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        peer.settimeout(TIMEOUT)
        try:
            if self.context:
                secure = self.context.wrap_socket(peer, server_side=True)
                self.peer_certificates.append(secure.getpeercert(binary_form=True))
                peer = secure
            while True:
                if self.deaf:
                    peer.recv(65536)
                    answers(400)(peer)
                    break
                request = receive(peer)
                if request is None:
                    break
                self.requests.append(request)
                self.behave(peer)
        except OSError:
            pass  # the client went, the handshake failed, or the behaviour wants the connection to end
        finally:
            peer.close()


def receive(peer: socket.socket) -> Request | None:
    """The next request, or None when the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more:
            return None
        data += more
    head, _blank, body = data.partition(b"\r\n\r\n")
    request = Request(head, body)
    while len(request.body) < int(request.headers.get("content-length", "0")):
        request.body += peer.recv(65536)
    return request


Serve = Callable[..., Loopback]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers, and ends them with the test."""
    started: list[Loopback] = []

    def start(behave: Behaviour | None = None, **options: Any) -> Loopback:
        started.append(Loopback(behave or answers(), **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


def send(
    connected: Connection,
    method: str = "GET",
    target: str = "/",
    body: bytes | None = None,
    timeout: float = TIMEOUT,
    **headers: str,
) -> Reply:
    return connected.nodes[0].send(method, target, body, timeout, {name.replace("_", "-"): value for name, value in headers.items()})


def sent(serve: Serve, **given: Any) -> Request:
    """The request that arrives when these options are used."""
    server = serve()
    reply = send(connect(params(url=server.url, **given)))
    assert reply.status == 200 and not reply.error
    assert len(server.requests) == 1
    return server.requests[0]


# -- the environment ---------------------------------------------------------------------------------------

ENVIRONMENT = {variable: "env-" + name for name, variable in AUTHENTICATION.items()}


@pytest.fixture
def full_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)


def authentication_of(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in AUTHENTICATION if options[name]}


@pytest.mark.usefixtures("full_environment")
def test_a_task_without_authentication_takes_all_of_it_from_the_environment() -> None:
    assert authentication_of(with_environment(params())) == {name: "env-" + name for name in AUTHENTICATION}


@pytest.mark.usefixtures("full_environment")
@pytest.mark.parametrize("name", sorted(AUTHENTICATION))
def test_any_authentication_in_the_task_switches_all_of_the_environments_off(name: str) -> None:
    value = "es" if name == "aws_service" else "from-the-task"
    given = params(**{name: value})
    assert authentication_of(with_environment(given)) == {name: given[name]}


@pytest.mark.usefixtures("full_environment")
def test_an_empty_option_is_not_given() -> None:
    assert authentication_of(with_environment(params(username="", token="")))["username"] == "env-username"


@pytest.mark.usefixtures("full_environment")
def test_reading_the_environment_leaves_the_tasks_own_parameters_alone() -> None:
    given = params()
    with_environment(given)
    assert authentication_of(given) == {}


def test_credentials_of_the_environment_are_sent_and_hidden(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_USERNAME", "reader")
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "from-outside")
    assert sent(serve).headers["authorization"] == basic("reader:from-outside")
    assert "from-outside" in connect(params()).secrets


def test_a_token_of_the_task_meets_no_password_of_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_USERNAME", "reader")
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "from-outside")
    assert sent(serve, token="t0ken").headers["authorization"] == "Bearer t0ken"


def test_half_a_pair_in_the_task_is_not_completed_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "from-outside")
    assert "username and password belong together" in str(refused(username="admin"))


def test_two_ways_in_the_environment_contradict_each_other_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD", "OPENSEARCH_TOKEN"):
        monkeypatch.setenv(variable, "x")
    assert "username and token exclude each other" in str(refused())


@pytest.mark.parametrize(
    ("variable", "value", "option", "expected"),
    [
        ("OPENSEARCH_URL", "https://a:9200,https://b:9200", "url", ["https://a:9200", "https://b:9200"]),
        ("OPENSEARCH_CA_CERT", "/etc/ca.pem", "ca_cert", "/etc/ca.pem"),
        ("OPENSEARCH_VALIDATE_CERTS", "no", "validate_certs", False),
        ("OPENSEARCH_TENANT_ID", "t1", "tenant_id", "t1"),
        ("OPENSEARCH_REQUEST_TIMEOUT", "2.5", "request_timeout", 2.5),
    ],
)
def test_what_does_not_authenticate_comes_from_the_environment_whatever_the_task_authenticates_with(
    variable: str, value: str, option: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert params(token="t")[option] == expected


# -- contradictions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"username": "a"}, "username and password belong together"),
        ({"password": "b"}, "username and password belong together"),
        ({"username": "a", "password": "b", "token": "c"}, "username and token exclude each other"),
        ({"username": "a", "password": "b", "aws_region": "r"}, "username and aws_region exclude each other"),
        ({"token": "c", "aws_region": "r"}, "token and aws_region exclude each other"),
        (
            {"username": "a", "password": "b", "token": "c", "aws_region": "r"},
            "username and token and aws_region exclude each other",
        ),
        ({"client_key": "/k"}, "client_key needs client_cert"),
        ({"aws_service": "es"}, "aws_service needs aws_region"),
        ({"aws_profile": "p"}, "aws_profile needs aws_region"),
        ({"url": []}, "url is empty"),
        ({"request_timeout": 0}, "request_timeout must be more than 0"),
        ({"request_timeout": -1}, "request_timeout must be more than 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given: dict[str, Any], said: str) -> None:
    assert said in str(refused(**given))


def test_no_authentication_at_all_is_fine(serve: Serve) -> None:
    assert "authorization" not in sent(serve).headers


# -- url ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "search.example.com",
        "search.example.com:9200",
        "/path",
        "ftp://h",
        "http://",
        "https://:9200",
        "https://h?x=1",
        "https://h#f",
        "https://h:port",
        "https://h:65536",
        "http://[::1",
    ],
)
def test_an_entry_that_is_no_url_of_a_node_is_refused(url: str) -> None:
    assert "url" in str(refused(url=[url]))


def test_one_bad_entry_among_good_ones_is_refused() -> None:
    assert "'nonsense'" in str(refused(url=[URL, "nonsense"]))


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("https://admin:s3cret@h:9200", "s3cret"),
        ("https://admin:s3%23cret@h:9200", "s3#cret"),
        ("https://:s3cret@h:9200", "s3cret"),
        # What is cut off too early by a parser of URLs, or is none at all, holds a password all the same.
        ("https://admin:s3cr#et@h:9200", "s3cr#et"),
        ("https://admin:s3cr/et@h:9200", "s3cr/et"),
        ("https://admin:s3cr?et@h:9200", "s3cr?et"),
        ("https://admin:s3cr@et@h:9200", "s3cr@et"),
        ("https://admin:s3[cret@h:9200", "s3[cret"),
        ("https://admin:s3cret@h:99999", "s3cret"),
        ("admin:s3cret@h:9200", "s3cret"),
        ("ftp://admin:s3cret@h", "s3cret"),
        ("https://t0ken@h:9200", "t0ken"),
    ],
)
def test_credentials_in_url_are_refused_and_their_password_is_hidden(url: str, password: str) -> None:
    error = refused(url=[url])
    assert "url must not hold credentials" in str(error)
    assert "s3" not in str(error) and "t0ken" not in str(error)
    assert password in error.secrets


def test_credentials_in_url_are_hidden_whatever_else_is_wrong() -> None:
    """Only the first thing that is wrong is said, but all the arguments are shown with it."""
    assert "s3cret" in refused(url=["nonsense", "https://admin:s3cret@h"]).secrets
    assert "s3cret" in refused(url=["https://admin:s3cret@h"], username="alone").secrets
    assert "" not in refused(url=["", "https://:@h", "https://admin:s3cret@h"]).secrets  # hidden, it would cut up every word


def test_a_user_without_password_in_url_is_refused() -> None:
    assert "url must not hold credentials" in str(refused(url=["https://admin:@h:9200"]))


def test_a_password_with_a_comma_is_hidden_in_both_entries_that_ansible_makes_of_it() -> None:
    given = params(url="https://admin:s3cr,et@h:9200")
    with pytest.raises(ConnectionOptionError) as caught:
        connect(given)
    assert given["url"] == ["https://admin:s3cr", "et@h:9200"] and caught.value.secrets >= set(given["url"])
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("", "/_cat/plugins?a=b"),
        ("/", "/_cat/plugins?a=b"),
        ("/search", "/search/_cat/plugins?a=b"),
        ("/a/b/", "/a/b/_cat/plugins?a=b"),
    ],
)
def test_the_path_of_a_url_stands_before_every_target(path: str, arrives: str, serve: Serve) -> None:
    server = serve()
    assert send(connect(params(url=server.url + path)), target="/_cat/plugins?a=b").status == 200
    assert server.requests[0].target == arrives


@pytest.mark.parametrize("target", ["/a%2Cb", "/%2A", "/a%2Fb?allow_delete=a%2Cb%20c%2Bd", "/x%3Fy"])
def test_a_quoted_target_arrives_as_it_was_quoted(target: str, serve: Serve) -> None:
    server = serve()
    send(connect(params(url=server.url)), target=target)
    assert server.requests[0].target == target


def test_ports_are_those_of_the_scheme_unless_given() -> None:
    made = connect(params(url=["https://h", "http://h", "https://h:9200"]))
    assert [node._connection.port for node in made.nodes] == [443, 80, 9200]


def test_the_same_url_twice_is_one_node_and_the_order_stays() -> None:
    made = connect(params(url=["https://b:9200", "https://a:9200", "https://b:9200"]))
    assert [node.url for node in made.nodes] == ["https://b:9200", "https://a:9200"]


def test_an_ipv6_address_is_a_node(serve: Serve) -> None:
    try:
        server = serve(family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on loopback here")
    assert send(connect(params(url=f"http://[::1]:{server.port}"))).status == 200
    assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


# -- authentication ----------------------------------------------------------------------------------------


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")


@pytest.mark.parametrize(("username", "password"), [("admin", "admin"), ("jürgen", "pässwörd-€-🔑"), ("a", "with:colon and blank")])
def test_basic_authentication_is_sent_as_utf8(username: str, password: str, serve: Serve) -> None:
    assert sent(serve, username=username, password=password).headers["authorization"] == basic(username + ":" + password)


def test_a_token_is_sent_as_bearer(serve: Serve) -> None:
    assert sent(serve, token="ey.J0.x").headers["authorization"] == "Bearer ey.J0.x"


def test_headers_and_tenant_are_sent_with_every_request(serve: Serve) -> None:
    headers = sent(serve, headers={"X-Proxy-User": "me", "X-Number": 7}, tenant_id="t-1").headers
    assert (headers["x-proxy-user"], headers["x-number"], headers["x-tenant-id"]) == ("me", "7", "t-1")


def test_headers_of_one_call_are_sent_with_that_call_only(serve: Serve) -> None:
    server = serve()
    connected = connect(params(url=server.url, headers={"x-proxy-user": "me"}))
    send(connected, x_opaque_id="run/1")
    send(connected)
    first, second = server.requests
    assert first.headers["x-opaque-id"] == "run/1" and first.headers["x-proxy-user"] == "me"
    assert "x-opaque-id" not in second.headers


@pytest.mark.parametrize("way", [{"token": "t0ken"}, {"username": "me", "password": "pw"}, {"aws_region": "eu-west-1"}])
def test_an_authorization_header_excludes_every_other_way_to_authenticate(way: dict[str, str]) -> None:
    with pytest.raises(ConnectionOptionError, match="an Authorization header exclude"):
        connect(params(headers={"AUTHORIZATION": "Bearer own"}, **way))


def test_an_authorization_header_of_the_task_switches_the_environment_off(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_TOKEN", "of the environment")
    assert sent(serve, headers={"Authorization": "Bearer own"}).headers["authorization"] == "Bearer own"


def test_secrets_are_what_is_sent_in_every_form_it_takes() -> None:
    assert connect(params(username="admin", password="pw", headers={"X-Key": "k3y", "X-Empty": ""})).secrets == {
        "pw",
        basic("admin:pw"),
        basic("admin:pw")[6:],
        "k3y",
    }
    assert connect(params(token="t0ken")).secrets == {"t0ken", "Bearer t0ken"}
    assert connect(params()).secrets == set()


def test_ansible_itself_hides_what_is_secret_by_name() -> None:
    hidden = {name for name, option in connection.argument_spec().items() if option.get("no_log")}
    assert hidden == {"password", "token", "headers"}


@pytest.mark.parametrize(
    "given",
    [
        {"token": "s3cret\n"},
        {"token": "s3c\r\nret"},
        {"token": "s3cret\N{EURO SIGN}"},
        {"headers": {"x-key": "s3cret\n"}},
        {"headers": {"x-key": "s3cret\N{EURO SIGN}"}},
        {"headers": {"x key:": "s3cret"}},
        {"headers": {"": "s3cret"}},
        {"tenant_id": "s3cret\n"},
    ],
)
def test_what_no_header_can_hold_is_refused_and_not_repeated(given: dict[str, Any]) -> None:
    """The library would repeat it in its own quoting, which no masking recognises, and call it a lost connection."""
    error = refused(**given)
    assert "header" in str(error) and "s3c" not in str(error)


# -- AWS ---------------------------------------------------------------------------------------------------


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore", reason="SigV4 needs botocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-s3cret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "aws-session")


def signature_is_right(request: Request, service: str) -> bool:
    """Signature Version 4 computed from what arrived, as its specification says: not with the library that signed."""
    fields = dict(part.strip().split("=", 1) for part in request.headers["authorization"].split(" ", 1)[1].split(","))
    parts = urlsplit(request.target)
    query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(parts.query, keep_blank_values=True))
    names = fields["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request.method,
            quote(parts.path, safe="/-_.~"),
            "&".join("{}={}".format(*pair) for pair in query),
            "".join(f"{name}:{request.headers[name]}\n" for name in names),
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = "{}/eu-central-1/{}/aws4_request".format(request.headers["x-amz-date"][:8], service)
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4aws-s3cret"
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return fields["Credential"] == "AKIDEXAMPLE/" + scope and fields["Signature"] == expected and "host" in names


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("service", [None, "es", "aoss"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/", None),
        (
            "POST",
            "/_plugins/_flow_framework/workflow/-a_b/_deprovision?allow_delete=docs%2Cpr-17%2Bx%2Cindex%2Fy",
            None,
        ),
        ("POST", "/_plugins/_ml/models/_search", b'{"size": 0}'),
        ("GET", "/_ingest/pipeline/a%20b%2Fc", None),
    ],
)
def test_aws_region_signs_what_is_sent(service: str | None, method: str, target: str, body: Any, serve: Serve) -> None:
    server = serve()
    given = {"aws_service": service} if service else {}
    assert send(connect(params(url=server.url, aws_region="eu-central-1", **given)), method, target, body).status == 200
    request = server.requests[0]
    assert request.target == target and request.body == (body or b"")
    assert request.headers["x-amz-security-token"] == "aws-session"
    assert signature_is_right(request, service or "es")


@pytest.mark.usefixtures("aws")
def test_the_check_of_signatures_sees_a_wrong_one(serve: Serve) -> None:
    server = serve()
    send(connect(params(url=server.url, aws_region="eu-central-1")))
    server.requests[0].target = "/else"
    assert not signature_is_right(server.requests[0], "es")


@pytest.mark.usefixtures("aws")
def test_secrets_of_aws_are_hidden() -> None:
    assert connect(params(aws_region="eu-central-1")).secrets == {"aws-s3cret", "aws-session"}


@pytest.mark.usefixtures("aws")
def test_the_environment_of_aws_alone_switches_nothing_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert "authorization" not in sent(serve).headers


@pytest.mark.usefixtures("aws")
def test_the_collections_own_variable_switches_signing_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_AWS_REGION", "eu-central-1")
    assert signature_is_right(sent(serve), "es")


def test_aws_without_credentials_says_what_to_do() -> None:
    pytest.importorskip("botocore", reason="SigV4 needs botocore")
    assert "finds no AWS credentials" in str(refused(aws_region="eu-central-1"))


@pytest.mark.usefixtures("aws")
def test_an_unknown_aws_profile_is_a_sentence() -> None:
    assert "no-such-profile" in str(refused(aws_region="eu-central-1", aws_profile="no-such-profile"))


def test_aws_without_botocore_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    assert "needs the Python library botocore" in str(refused(aws_region="eu-central-1"))


# -- TLS ---------------------------------------------------------------------------------------------------


class Certificates:
    """Two authorities: the cluster's, and one that has nothing to do with it."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.right = folder / "right.pem"
        self.wrong = folder / "wrong.pem"
        self.authority.cert_pem.write_to_path(str(self.right))
        trustme.CA().cert_pem.write_to_path(str(self.wrong))
        client = self.authority.issue_cert("me@example.com")
        self.client = folder / "client.pem"
        self.key = folder / "client.key"
        client.cert_chain_pems[0].write_to_path(str(self.client))
        client.private_key_pem.write_to_path(str(self.key))
        self.client_certificate = ssl.PEM_cert_to_DER_cert(self.client.read_text())

    def context(self, name: str = "127.0.0.1", asks: bool = False) -> ssl.SSLContext:
        """Of a server of that name; with ``asks`` it takes nobody without a certificate of the authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name).configure_cert(context)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_the_right_authority_is_trusted(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context())
    assert send(connect(params(url=server.url, ca_cert=str(certificates.right)))).status == 200


@pytest.mark.parametrize("given", [{"ca_cert": "wrong"}, {}], ids=["another authority", "the system's authorities"])
def test_a_certificate_of_nobody_who_is_trusted_ends_before_anything_is_sent(given: dict[str, Any], serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context())
    reply = send(
        connect(params(url=server.url, token="t", **{name: str(getattr(certificates, value)) for name, value in given.items()})),
        "POST",
    )
    assert (reply.error, reply.status) == ("certificate", None)
    assert "certificate" in reply.text.lower()
    assert not server.requests


def test_a_certificate_for_another_host_ends_before_anything_is_sent(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context("elsewhere.example.com"))
    reply = send(connect(params(url=server.url, ca_cert=str(certificates.right))), "POST")
    assert reply.error == "certificate" and not server.requests


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("name", ["127.0.0.1", "elsewhere.example.com"])
def test_without_validation_any_certificate_does(name: str, serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context(name))
    assert send(connect(params(url=server.url, validate_certs=False))).status == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("validate", [True, False])
def test_the_clients_certificate_is_sent_with_and_without_validation(validate: bool, serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context(asks=True))
    given = {"ca_cert": str(certificates.right)} if validate else {"validate_certs": False}
    made = connect(params(url=server.url, client_cert=str(certificates.client), client_key=str(certificates.key), **given))
    assert send(made).status == 200
    assert server.peer_certificates == [certificates.client_certificate]


def test_a_client_certificate_goes_with_basic_authentication(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context(asks=True))
    given = {
        "client_cert": str(certificates.client),
        "client_key": str(certificates.key),
        "username": "a",
        "password": "b",
    }
    assert send(connect(params(url=server.url, ca_cert=str(certificates.right), **given))).status == 200
    assert server.requests[0].headers["authorization"] == basic("a:b")
    assert server.peer_certificates == [certificates.client_certificate]


def test_a_server_that_asks_for_a_certificate_and_gets_none_is_no_success(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context(asks=True))
    reply = send(connect(params(url=server.url, ca_cert=str(certificates.right))))
    assert reply.error in ("certificate", "lost") and reply.status is None
    assert not server.requests


@pytest.mark.parametrize(
    "given",
    [
        {"ca_cert": "{folder}/none.pem"},
        {"ca_cert": "{folder}/client.key"},
        {"client_cert": "{folder}/none.pem"},
        {"client_cert": "{folder}/client.pem"},
        {"client_cert": "{folder}/client.pem", "client_key": "{folder}/right.pem"},
        {"ca_cert": "{folder}/none.pem", "validate_certs": False},
    ],
)
def test_files_that_do_not_fit_are_a_sentence(given: dict[str, Any], certificates: Certificates) -> None:
    folder = str(certificates.right.parent)
    filled = {name: value.format(folder=folder) if isinstance(value, str) else value for name, value in given.items()}
    assert "ca_cert, client_cert or client_key cannot be used" in str(refused(**filled))


ON_A_TERMINAL = """
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
try:
    connection.tls_context(dict(ca_cert=None, validate_certs=True, client_cert=%r, client_key=%r), "localhost")
except connection.ConnectionOptionError as error:
    print("refused:", error)
"""


def test_a_key_with_a_passphrase_is_refused_and_asks_nothing_on_the_terminal(certificates: Certificates, tmp_path: Path) -> None:
    """OpenSSL would ask whoever sits at the terminal, and wait."""
    key = serialization.load_pem_private_key(certificates.key.read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")))
    code = ON_A_TERMINAL % (str(certificates.client), str(locked))
    said = on_a_terminal([sys.executable, "-c", code], dict(os.environ, PYTHONPATH=os.environ["ANSIBLE_COLLECTIONS_PATH"]))
    assert said.startswith("refused: ca_cert, client_cert or client_key cannot be used")


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a command says on a terminal of its own before it ends, or asks something."""
    process, terminal = pty.fork()
    if not process:
        os.execve(command[0], command, environment)
    said = b""
    with contextlib.suppress(OSError):  # the end of the process closes the terminal
        while b"pass phrase" not in said:
            said += os.read(terminal, 4096)
    os.close(terminal)
    os.waitpid(process, 0)
    return said.decode()


@pytest.mark.parametrize(("behave", "said"), [(resets, ""), (hangs_up, ""), (breaks_off, ""), (spoils_tls, "record")])
def test_tls_that_fails_after_the_request_has_arrived_is_lost_and_no_matter_of_certificates(
    behave: Behaviour, said: str, serve: Serve, certificates: Certificates
) -> None:
    """Otherwise a deprovision that the server is at work on would count as one that was never sent."""
    server = serve(behave, context=certificates.context())
    reply = send(connect(params(url=server.url, ca_cert=str(certificates.right))), "POST")
    assert [request.method for request in server.requests] == ["POST"]
    assert reply.error == "lost" and said in reply.text.lower()


def test_tls_on_a_plain_http_port_is_a_matter_of_the_url_and_sends_nothing(serve: Serve) -> None:
    server = serve(deaf=True)
    reply = send(connect(params(url=server.url.replace("http", "https"))), "POST")
    assert (reply.error, reply.status) == ("certificate", None)


def test_plain_http_on_a_tls_port_is_no_answer(serve: Serve, certificates: Certificates) -> None:
    server = serve(context=certificates.context())
    reply = send(connect(params(url=server.url.replace("https", "http"))))
    assert reply.error == "lost" and not server.requests


# -- what goes wrong ---------------------------------------------------------------------------------------

METHODS = ("GET", "POST", "DELETE")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("method", METHODS)
def test_a_refused_port_is_unreachable(method: str) -> None:
    reply = send(connect(params(url=f"http://127.0.0.1:{free_port()}")), method)
    assert (reply.error, reply.status) == ("unreachable", None)
    assert "refused" in reply.text.lower()
    assert " object at 0x" not in reply.text


def test_a_name_that_is_none_is_unreachable() -> None:
    assert send(connect(params(url="http://no-such-host.invalid:9200"))).error == "unreachable"


# What makes HTTP clients send again: a failure, an invitation to come back, another address, a closed connection.
TEMPTATIONS: dict[str, tuple[Behaviour, int | None, str]] = {
    "reset": (resets, None, "lost"),
    "hang up": (hangs_up, None, "lost"),
    "silence": (says_nothing, None, "lost"),
    "truncated": (breaks_off, None, "lost"),
    "429": (answers(429, "{}", "application/json", "retry-after: 0"), 429, ""),
    "502": (answers(502, "<html>", "text/html"), 502, ""),
    "503": (answers(503, "{}", "application/json", "retry-after: 0"), 503, ""),
    "504": (answers(504, "{}", "application/json", "retry-after: 0"), 504, ""),
    "301": (answers(301, "", "text/html", "location: /else"), 301, ""),
    "307": (answers(307, "", "text/html", "location: /else"), 307, ""),
    "413": (answers(413, "{}", "application/json", "retry-after: 0"), 413, ""),
    "401": (answers(401, "Unauthorized", "text/plain", "www-authenticate: Basic"), 401, ""),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("temptation", TEMPTATIONS)
def test_nothing_is_ever_sent_twice(temptation: str, method: str, serve: Serve) -> None:
    behave, status, error = TEMPTATIONS[temptation]
    server = serve(behave)
    timeout = 0.3 if temptation == "silence" else TIMEOUT
    reply = send(connect(params(url=server.url)), method, "/x", timeout=timeout)
    assert (reply.status, reply.error) == (status, error)
    assert (server.connections, [request.method for request in server.requests]) == (1, [method])


def test_a_kept_connection_that_the_server_has_closed_is_no_reason_to_send_again(serve: Serve) -> None:
    def answer_and_close(peer: socket.socket) -> None:
        answers()(peer)
        raise ConnectionAbortedError

    server = serve(answer_and_close)
    connected = connect(params(url=server.url))
    targets = [f"/{number}" for number in range(5)]
    replies = {target: send(connected, "POST", target) for target in targets}
    arrived = [request.target for request in server.requests]
    assert len(set(arrived)) == len(arrived)
    assert {target for target, reply in replies.items() if reply.status == 200} <= set(arrived)
    assert all(reply.status == 200 or reply.error == "lost" for reply in replies.values())


def test_the_time_out_of_a_call_counts_and_not_that_of_the_options(serve: Serve) -> None:
    server = serve(says_nothing)
    reply = send(connect(params(url=server.url, request_timeout=60)), timeout=0.2)
    assert reply.error == "lost" and "timed out" in reply.text


@pytest.mark.parametrize("status", [201, 202, 204, 400, 404, 405, 409, 500, 599, 999])
def test_every_status_is_handed_over_and_none_is_raised(status: Any, serve: Serve) -> None:
    text = "" if status == 204 else '{"error": "why"}'
    reply = send(connect(params(url=serve(answers(status, text, "application/json; charset=UTF-8")).url)))
    assert reply == Reply(status, "application/json; charset=UTF-8", text)


def test_an_answer_without_content_type_is_handed_over(serve: Serve) -> None:
    def bare(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    assert send(connect(params(url=serve(bare).url))) == Reply(200, "", "{}")


def test_an_answer_that_is_not_utf8_is_no_success(serve: Serve) -> None:
    reply = send(connect(params(url=serve(answers(200, b"\xff\xfe\x00")).url)))
    assert reply.status is None and reply.error == "lost"


def test_an_answer_in_utf8_is_read_as_such(serve: Serve) -> None:
    assert send(connect(params(url=serve(answers(200, '{"name": "jürgen €"}')).url))).text == '{"name": "jürgen €"}'


def test_an_answer_that_is_no_http_is_lost(serve: Serve) -> None:
    assert send(connect(params(url=serve(lambda peer: peer.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")).url))).error == "lost"


def test_a_body_arrives_as_it_is(serve: Serve) -> None:
    server = serve()
    send(connect(params(url=server.url)), "POST", "/_search", '{"q": "ü"}'.encode())
    request = server.requests[0]
    assert request.body == '{"q": "ü"}'.encode() and request.headers["content-type"] == "application/json"


def test_a_warning_of_the_server_does_not_end_a_call(serve: Serve) -> None:
    header = 'warning: 299 OpenSearch-3.6.0 "this request accesses system indices"'
    server = serve(answers(200, "{}", "application/json", header))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert send(connect(params(url=server.url))).status == 200


IMPORTING = """
import sys
from ansible_collections.opensearch_ops.flow_framework.plugins.module_utils._internal import connection
assert connection.LIBRARY_ERROR is None, connection.LIBRARY_ERROR
print("opensearchpy" in sys.modules, any(name.partition(".")[0] == "aiohttp" for name in sys.modules))
import aiohttp
print(aiohttp.__name__)
"""


def test_only_what_is_needed_of_the_library_is_imported_and_nothing_is_kept_from_others() -> None:
    """Half of the time of the import was its asynchronous half, where aiohttp is installed."""
    pytest.importorskip("aiohttp")
    environment = dict(os.environ, PYTHONPATH=os.environ["ANSIBLE_COLLECTIONS_PATH"])
    ran = subprocess.run([sys.executable, "-c", IMPORTING], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False", "aiohttp"]
