"""A shop's nginx includes a product's questions in its page, configured as docs/pages.md shows."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from atelier.local.host.programs import nginx_program
from tests.contract.conftest import Shop
from tests.support.cluster import Cluster, free_port, program, wait_for_port
from tests.support.data import Data
from tests.support.html import HOSTILE_TEXTS, attributes, parse, texts
from tests.support.postgres import temporary_folder

_PAGE = (Path(__file__).parents[2] / "docs" / "pages.md").read_text(encoding="utf-8")
_SHOWN_SERVICE = "http://127.0.0.1:8080"
_CONFIGURATION = """
daemon off; worker_processes 1; pid nginx.pid; {user}
events {{ }}
http {{
    access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t;
    uwsgi_temp_path t; scgi_temp_path t;
    types {{ text/html html; }}
    server {{ listen 127.0.0.1:{port}; {locations} }}
}}
"""


def shown(language: str) -> str:
    """Return the example of the page in a language."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)
    return str(block)


@contextmanager
def shop_in_front_of(service: str, product_id: int) -> Iterator[str]:
    """Run the nginx of a shop whose page `/product.html` includes a product's questions."""
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    assert _SHOWN_SERVICE in shown("nginx")
    locations = shown("nginx").replace(_SHOWN_SERVICE, service)
    page = shown("html").replace('product-id="1"', f'product-id="{product_id}"')
    page = page.replace("/questions-of/1", f"/questions-of/{product_id}")
    with temporary_folder() as folder:
        (folder / "html").mkdir()
        head = "<!doctype html><html lang=en><title>A hat</title><main>"
        (folder / "html" / "product.html").write_text(f"{head}{page}<p>The end</p></main></html>")
        (folder / "nginx.conf").write_text(
            _CONFIGURATION.format(user=user, port=port, locations=locations)
        )
        command = [str(nginx_program()), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
        with program(command):
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}"


async def test_a_product_page_includes_the_questions(
    service: Cluster, client: httpx.AsyncClient, shop: Shop, data: Data
) -> None:
    for text in HOSTILE_TEXTS:
        await data.question(shop.product_id, body=text, helpful=1)
    fragment = f"/products/{shop.product_id}/questions?fragment=1"
    tag = (await client.get(fragment)).headers["etag"]
    with shop_in_front_of(service.base_url, shop.product_id) as url:
        async with httpx.AsyncClient(base_url=url) as reader:
            response = await reader.get("/product.html", headers={"If-None-Match": tag})
            page, errors = parse(response.text)
            [more] = attributes(page, ".//atelier-questions//p[@class='paging']/a", "href")
            following = await reader.get(more)
    assert errors == []
    questions = texts(page, ".//atelier-questions/section/article/h3")
    assert questions == HOSTILE_TEXTS[::-1][:10]
    assert texts(page, "./body/main/p") == ["The end"]
    shown_next, _ = parse(following.text)
    assert texts(shown_next, ".//article/h2") == [
        *HOSTILE_TEXTS[::-1][10:],
        "Why is this product cheaper here than other sites?",
    ]
    [canonical] = attributes(shown_next, ".//link[@rel='canonical']", "href")
    assert canonical == f"{url}{more}"


async def test_a_product_page_comes_without_questions_while_the_service_is_away() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with shop_in_front_of(nobody, 1) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            response = await client.get("/product.html")
            direct = await client.get("/questions-of/1")
    assert response.status_code == 200
    page, errors = parse(response.text)
    assert errors == []
    assert "".join(texts(page, ".//atelier-questions")).strip() == ""
    assert texts(page, "./body/main/p") == ["The end"]
    assert direct.status_code == 404
