"""A webhook reaches only permitted addresses, whatever its URL, its name or its receiver says."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from atelier.http.webhooks import client as webhook_client
from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.http.webhooks.client import Client, DeliveryError, Response
from atelier.http.webhooks.urls import InvalidUrlError, parse
from tests.support.parts import program_or_skip
from tests.support.receiver import receiver

_LOCAL = PermittedAddresses(["127.0.0.0/8"])
_PUBLIC_ONLY = PermittedAddresses([])

INVALID_URLS = [
    *("", "shop.example/hook", "//shop.example", "ftp://shop.example", "file:///etc/passwd"),
    *("gopher://shop.example", "https://", "https:///x", "https://shop.example:0/"),
    *("https://shop.example:99999/", "https://shop.example:x/", "https://shop.example:/"),
    *("https://user@shop.example/", "https://user:pw@shop.example/", "https://a@b@shop.example"),
    *("https://shop.example/#x", "https://shop.example/#", "https://shop example/"),
    *("https://shop.example/\r\nHost: x", "https://shop.example/a\tb", "https://münchen.example/"),
    *("https://shop.example\\@10.0.0.1/", "https://a..b/", "https://.a/", "https://-a.b/"),
    # numbers that resolvers understand as addresses
    *("https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/"),
    *("https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://127.0.0.0x1/", "https://1.2.3.4.5/"),
    *("https://127.0.0.1./", "https://a.0x7f/", "https://256.0.0.1/", "https://1.2.3/"),
    *("https://[::1/", "https://[127.0.0.1]/", "https://::1/", "https://[fe80::1%25eth0]/"),
    *("https://[v1.x]/", "https://%31%32%37.0.0.1/", "https://①②⑦.0.0.1/", "https://a%2eb/"),
    "https://shop.example/" + "x" * 2000,
]

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200"),  # noqa: S104 - nothing is bound
    *("127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.0.1", "172.16.0.1"),
    *("172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1"),
    *("2001::1", "2001:0:7f00:1::", "2001:db8::1", "2001:10::1", "2002:7f00:1::", "2002:a00:1::"),
    *("3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1"),
]
PUBLIC = [
    *("1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255"),
    *("2606:4700::1111", "2a00::1", "2001:4860::8888", "::ffff:1.1.1.1"),
]


def resolving(*answers: Sequence[str]) -> webhook_client.Resolve:
    """Return a resolver that gives these answers, one after the other."""
    remaining = iter(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(remaining)

    return resolve


async def post(client: Client, url: str, seconds: float = 10) -> Response:
    deadline = asyncio.get_running_loop().time() + seconds
    return await client.post(url, {"webhook-id": "msg_1"}, b"{}", deadline)


async def error(client: Client, url: str, seconds: float = 10) -> str:
    with pytest.raises(DeliveryError) as raised:
        await post(client, url, seconds)
    return str(raised.value)


@pytest.mark.parametrize("url", INVALID_URLS, ids=ascii)
async def test_a_url_that_may_be_understood_in_two_ways_is_invalid(url: str) -> None:
    with pytest.raises(InvalidUrlError):
        parse(url)
    assert "the URL must" in await error(Client(_LOCAL, resolving()), url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://shop.example", "shop.example", 443, "/"),
        ("https://Shop.Example:8443/a/b?c=d&e", "shop.example", 8443, "/a/b?c=d&e"),
        ("http://10.0.0.1?x", "10.0.0.1", 80, "/?x"),
        ("https://[2a00::1]:1/x", "2a00::1", 1, "/x"),
        ("https://xn--mnchen-3ya.example./", "xn--mnchen-3ya.example.", 443, "/"),
        ("https://my_host-1.a1/", "my_host-1.a1", 443, "/"),
    ],
)
def test_the_parts_of_a_url_are_what_is_connected_to(
    url: str, host: str, port: int, path: str
) -> None:
    target = parse(url)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_an_address_that_is_not_public_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "open_connection", None)
    bracketed = f"[{address}]" if ":" in address else address
    with pytest.raises(InvalidUrlError, match="public address"):
        _PUBLIC_ONLY.check(parse(f"https://{bracketed}/"))
    for answer in ([address], ["1.1.1.1", address], [address, "1.1.1.1"]):
        named = Client(_PUBLIC_ONLY, resolving(answer))
        assert "not public" in await error(named, "https://rebind.example/")
    assert "not public" in await error(Client(_PUBLIC_ONLY), f"https://{bracketed}/")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted_with_tls_only(address: str) -> None:
    assert _PUBLIC_ONLY.are_permitted([address], is_secure=True)
    assert not _PUBLIC_ONLY.are_permitted([address], is_secure=False)
    assert not _LOCAL.are_permitted([address, "127.0.0.1"], is_secure=False)


def test_an_allowed_network_permits_no_other() -> None:
    addresses = PermittedAddresses(["10.1.2.0/24", "fd00::/16"])
    for allowed in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert addresses.are_permitted([allowed], is_secure=False)
    for other in ("10.1.3.1", "127.0.0.1", "169.254.169.254", "fe80::1", "::ffff:10.1.3.1"):
        assert not addresses.are_permitted([other], is_secure=True)
    addresses.check(parse("http://10.1.2.3/"))
    addresses.check(parse("http://internal.example/"))
    for url in ("http://1.1.1.1/", "https://10.1.3.1/"):
        with pytest.raises(InvalidUrlError):
            addresses.check(parse(url))
    with pytest.raises(InvalidUrlError, match="begin with https"):
        _PUBLIC_ONLY.check(parse("http://shop.example/"))


async def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to() -> None:
    """A second answer of the resolver, with another address, is never asked for."""
    with receiver() as hook:
        client = Client(_LOCAL, resolving(["127.0.0.1"]))
        url = f"http://rebind.example:{hook.server_port}/hook?a=b"
        assert (await post(client, url)).status == 204
    [received] = hook.received
    assert received.path == "/hook?a=b"
    assert received.headers["host"] == f"rebind.example:{hook.server_port}"


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST"])
async def test_a_name_of_this_machine_is_not_public(name: str) -> None:
    assert "not public" in await error(Client(_PUBLIC_ONLY), f"https://{name}/")


async def test_a_redirect_is_not_followed() -> None:
    with receiver() as secret, receiver(lambda _: 307, {"Location": secret.url}) as hook:
        assert (await post(Client(_LOCAL), hook.url)).status == 307
        assert len(hook.received) == 1
        assert not secret.received


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with receiver() as hook:
        client = Client(_LOCAL, resolving(["127.0.0.2", "127.0.0.1"]))
        assert (await post(client, f"http://two.example:{hook.server_port}/")).status == 204


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as hook:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert (await post(Client(_LOCAL), hook.url)).status == 204


@asynccontextmanager
async def raw_server(*chunks: bytes, keep_open: bool = False) -> AsyncIterator[str]:
    """Yield the URL of a server that answers with these bytes, whatever it gets."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client has gone
            await reader.readuntil(b"{}")
            for chunk in chunks:
                writer.write(chunk)
                await asyncio.sleep(0.01)
            if keep_open:
                await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await ended.wait()  # every test makes one connection


@pytest.mark.parametrize(
    ("chunks", "response"),
    [
        ([b"HTTP/1.1 200 OK\r\n\r\n"], (200, None)),
        ([b"HTTP/1.1 2", b"04 No Content\r\nRetry-", b"After: 7\r\n\r\n"], (204, 7)),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 201 Created\r\n\r\n"], (201, None)),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 x\r\nRetry-After: 9\r\n\r\n"], (503, 9)),
        (
            [b"HTTP/1.0 500 x\r\nRetry-After: Fri, 27 Nov 2026 09:00:00 GMT\r\n\r\nbody"],
            (500, None),
        ),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b"x" * 100_000], (200, None)),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"not chunked"], (200, None)),
    ],
)
async def test_the_status_counts_whatever_follows(
    chunks: list[bytes], response: tuple[int, int | None]
) -> None:
    async with raw_server(*chunks) as url:
        assert await post(Client(_LOCAL), url) == response


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        ([], "closed without a response"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000], "too many bytes"),
        (
            [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
            "HTTP",
        ),
    ],
)
async def test_what_is_no_response_is_an_error_without_its_text(
    chunks: list[bytes], text: str
) -> None:
    async with raw_server(*chunks) as url:
        message = await error(Client(_LOCAL), url)
    assert text in message
    assert "OpenSSH" not in message


async def test_a_receiver_has_a_limited_time_in_all() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\n", keep_open=True) as url:
        assert await error(Client(_LOCAL), url, seconds=0.3) == "no response in time"

    async def never(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    slow = Client(_LOCAL, never)
    assert await error(slow, "https://slow.example/", seconds=0.3) == "no response in time"


async def test_a_body_that_does_not_end_does_not_make_a_success_fail() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    async with raw_server(head, b"abc", keep_open=True) as url:
        assert await post(Client(_LOCAL), url, seconds=0.5) == (200, None)


async def test_nothing_is_sent_after_the_deadline() -> None:
    with receiver() as hook:
        assert await error(Client(_LOCAL), hook.url, seconds=-1) == "no response in time"
        assert not hook.received


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate of hook.example, which nobody has signed."""
    program_or_skip("openssl", "openssl")
    file = tmp_path_factory.mktemp("tls") / "hook.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hook"
    names = "-days 1 -addext subjectAltName=DNS:hook.example"
    subprocess.run(
        [*command.split(), *names.split(), "-keyout", file, "-out", f"{file}.crt"],
        check=True,
        capture_output=True,
    )
    with file.open("a") as both:
        both.write(Path(f"{file}.crt").read_text())
    return file


async def test_only_a_receiver_with_the_certificate_of_its_name_gets_events(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver(certificate=certificate) as hook:
        client = Client(_LOCAL, resolving(["127.0.0.1"]))
        url = f"https://hook.example:{hook.server_port}/"
        assert "certificate is not valid" in await error(client, url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = Client(_LOCAL, resolving(["127.0.0.1"], ["127.0.0.1"]))
        assert (await post(trusting, url)).status == 204
        other = url.replace("hook.example", "other.example")
        assert "certificate is not valid" in await error(trusting, other)
        assert len(hook.received) == 1
    async with raw_server(keep_open=True) as plain:
        message = await error(Client(_LOCAL), plain.replace("http:", "https:"), seconds=0.5)
    assert message == "no response in time"


async def test_errors_name_the_reason() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert await error(Client(_LOCAL), url) == "the connection failed: Connection refused"
    assert "has no address" in await error(Client(_LOCAL, resolving([])), "https://a.example/")

    async def fail(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror

    assert "cannot be resolved" in await error(Client(_LOCAL, fail), "https://a.example/")


def test_the_corpus_is_canonical() -> None:
    """Each address is one that a resolver can return."""
    assert all(ip_address(each) for each in [*NOT_PUBLIC, *PUBLIC])
