"""`atelier proxy`: nginx in front of instances on other hosts, as in containers."""

import http.client
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.local.nginx.resolver import name_server as system_name_server
from tests.support.cluster import free_port, program, wait_for_port
from tests.support.commands import ATELIER
from tests.support.names import name_server
from tests.support.parts import program_or_skip
from tests.support.postgres import temporary_folder
from tests.support.processes import family, wait_until_gone
from tests.support.waiting import wait_until


@contextmanager
def host(address: str, port: int, seconds: float = 0) -> Iterator[None]:
    """Run a server that answers with its own address, after a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(seconds)
            body = address.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def proxy(*options: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run the command; yield its port and process."""
    port = free_port()
    command = [*ATELIER, "proxy", "--listen", f"127.0.0.1:{port}", *options]
    with program(command) as process:
        wait_for_port(port)
        yield port, process


def get(port: int) -> str:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.read().decode() if response.status == http.HTTPStatus.OK else ""


def test_nginx_follows_the_addresses_of_a_name_and_fails_no_request() -> None:
    first, second, port = "127.0.0.1", "127.0.0.2", free_port()
    with ExitStack() as stack:
        stack.enter_context(host(second, port))
        with host(first, port):
            names = stack.enter_context(name_server(first))
            options = ("--server", f"instances.test:{port}", "--resolver", names.address)
            front, _ = stack.enter_context(proxy(*options))
            wait_until(lambda: get(front) == first, "the name was not resolved")
            names.addresses = [first, second]
            wait_until(lambda: get(front) == second, "the new address is not used")
            assert {get(front) for _ in range(20)} == {first, second}
            names.addresses = [second]
            wait_until(lambda: {get(front) for _ in range(20)} == {second}, "it is still used")
        assert {get(front) for _ in range(20)} == {second}


def test_sigterm_lets_requests_finish() -> None:
    port = free_port()
    with (
        host("127.0.0.1", port, seconds=1),
        proxy("--server", f"127.0.0.1:{port}") as (at, process),
    ):
        answers: list[str] = []
        client = threading.Thread(target=lambda: answers.append(get(at)))
        client.start()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        client.join()
        assert answers == ["127.0.0.1"]
        assert process.wait(timeout=10) == 0


def test_nginx_ends_with_the_command_however_that_ends() -> None:
    port = free_port()
    with host("127.0.0.1", port), proxy("--server", f"127.0.0.1:{port}") as (_, process):
        started = family(process.pid)
        process.kill()
        process.wait()
        wait_until_gone(started)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Return a certificate of localhost, and its private key."""
    openssl = program_or_skip("openssl", "openssl")
    certificate, key = tmp_path / "shop.pem", tmp_path / "shop key.pem"
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run([openssl, *request, *names, *files], check=True, capture_output=True)
    return certificate, key


def test_plain_http_is_sent_to_https_except_for_challenges_of_the_authority(
    certificate: tuple[Path, Path],
) -> None:
    at, instance = free_port(), free_port()
    chain, key = certificate
    with temporary_folder() as webroot:
        challenge = webroot / ".well-known" / "acme-challenge" / "token"
        challenge.parent.mkdir(parents=True)
        challenge.write_text("proof")
        options = ("--certificate", str(chain), "--key", str(key), "--redirect", f"127.0.0.1:{at}")
        server = ("--server", f"127.0.0.1:{instance}", "--webroot", str(webroot))
        with host("127.0.0.1", instance), proxy(*server, *options):
            wait_for_port(at)
            with closing(http.client.HTTPConnection("127.0.0.1", at)) as connection:
                connection.request("GET", "/.well-known/acme-challenge/token")
                assert connection.getresponse().read() == b"proof"
                connection.request(
                    "POST", "/qa/questions?product_id=1", headers={"Host": "a.example"}
                )
                answer = connection.getresponse()
        assert answer.status == 308
        assert answer.getheader("Location") == "https://a.example/qa/questions?product_id=1"


def test_https_with_the_given_certificate(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    port = free_port()
    options = ("--certificate", str(chain), "--key", str(key))
    with host("127.0.0.1", port), proxy("--server", f"127.0.0.1:{port}", *options) as (at, _):
        trusting = ssl.create_default_context(cafile=chain)
        with closing(http.client.HTTPSConnection("localhost", at, context=trusting)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"127.0.0.1"


@pytest.mark.parametrize("given", ["--certificate", "--key"])
def test_certificate_and_key_are_given_together(given: str) -> None:
    command = [*ATELIER, "nginx-config", "--server", "10.0.0.1:9000", given, "/etc/file"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Give both --certificate and --key" in done.stderr


def test_system_name_server_is_the_first_of_resolv_conf(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("search shop.example\nnameserver fd00::53\nnameserver 10.0.0.2\n")
    assert system_name_server("system", file) == "[fd00::53]"
    assert system_name_server("10.0.0.53:53", file) == "10.0.0.53:53"
    file.write_text("")
    with pytest.raises(AtelierError, match="names no name server"):
        system_name_server("system", file)
