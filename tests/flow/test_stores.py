"""Documents whose vectors are in another store, end to end: `ajar rag` and the server over an emulated Qdrant; access, outage, repair."""
import json
import os
import pathlib
import re
import subprocess
import sys
import threading

from lib import tiny_embedder
from lib.client import Connection
from lib.server import UPSTREAM_KEY
from lib.upstream import wait_for
from test_rag import add, ask, good, make, names, search

sys.path.append(str(pathlib.Path(__file__).parents[1] / "stores"))
import emulator  # noqa: E402
from base import serve  # noqa: E402

PUMP = "The warranty of the crimson pump lasts seven years. It is void when the seal is broken."
VALVE = "The azure valve opens at three bar. Clean it every spring."
CONFIG = """
[server]
access_log = "off"
[rag]
embedder = "test/tiny"
store = "there"
[vector_stores.there]
kind = "qdrant"
url = "%s"
api_key_env = "UPSTREAM_KEY"
timeout = "1s"
collection_prefix = "flow"
[providers.a]
base_url = "{a}/v1"
[routes.r]
targets = [{ provider = "a", model = "m" }]
"""


class Qdrant:
    def __init__(self):
        self.store = emulator.make("qdrant", UPSTREAM_KEY)
        self.http = serve(self.store)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def searches(self):
        log = self.store.control("/-/log", {})
        return [one["body"] for one in log if one["path"].endswith("/points/query")]


def embedder(folder):
    tiny_embedder.write(pathlib.Path(folder) / "models" / "test--tiny", re.findall(r"[a-z]+", (PUMP + VALVE + " how long does last red tap").lower()))


def server_with_store(context):
    qdrant = Qdrant()
    server = context.server(CONFIG % qdrant.url)
    embedder(server.folder / "data")
    return qdrant, server


def test_a_collection_is_searched_in_its_store(context):
    qdrant, server = server_with_store(context)
    store = make(server)
    assert store["embedder"] == "test/tiny" and store["store"] == "there" and store["waiting"] == 0, store
    pump = add(server, store["id"], "pump.txt", PUMP, attributes={"year": 2024})
    add(server, store["id"], "valve.txt", VALVE, attributes={"year": 2020})
    assert len(qdrant.store.tables) == 1 and next(iter(qdrant.store.tables)).startswith("flow_")
    qdrant.searches()
    found = good(ask(server, "POST", "/v1/rag/search", {"collection": store["id"], "query": "crimson pump", "filter": {"type": "gte", "key": "year", "value": 2021}}))
    assert [hit["name"] for hit in found["data"]] == ["pump.txt"] and found["data"][0]["meaning"] > 0.2 and "degraded" not in found, found
    sent = qdrant.searches()
    assert len(sent) == 1 and "@*" in json.dumps(sent[0]["filter"]) and "n_year" in json.dumps(sent[0]["filter"]), sent
    # What is removed is gone at once, and from the store, too.
    assert good(ask(server, "DELETE", f"/v1/vector_stores/{store['id']}/files/{pump['id']}"))["deleted"]
    assert names(search(server, store["id"], "crimson pump")) == ["valve.txt"]
    assert len(next(iter(qdrant.store.tables.values())).rows) == 1
    # A collection that is to be here is here.
    here = good(ask(server, "POST", "/v1/vector_stores", {"name": "here", "store": "here"}))
    assert "store" not in here, here
    answer = ask(server, "POST", "/v1/vector_stores", {"name": "x", "store": "nowhere"})
    assert answer.status == 404 and "nowhere" in answer.text, answer.text
    assert good(ask(server, "DELETE", "/v1/vector_stores/" + store["id"]))["deleted"]
    assert qdrant.store.tables == {}


def test_an_outage_is_told_and_made_good(context):
    qdrant, server = server_with_store(context)
    store = make(server)["id"]
    add(server, store, "pump.txt", PUMP)
    qdrant.store.set_mode("500")
    assert add(server, store, "valve.txt", VALVE)["status"] == "completed"
    found = good(ask(server, "POST", f"/v1/vector_stores/{store}/search", {"query": "azure valve"}))
    assert found["data"][0]["filename"] == "valve.txt" and "by words alone" in found["degraded"] and "out of order" in found["degraded"], found
    said = good(ask(server, "POST", "/v1/rag/ask", {"collection": store, "query": "How long does the warranty of the crimson pump last?"}))
    assert said["found"] is True and "by words alone" in said["degraded"], said
    with Connection(server.port) as connection:
        connection.request("GET", "/metrics", [], None, None)
        text = connection.answer().text
    assert 'ajar_rag_store_events_total{event="degraded",store="there"}' in text or 'ajar_rag_store_events_total{store="there",event="degraded"}' in text, text
    assert good(ask(server, "GET", "/v1/vector_stores/" + store))["waiting"] == 1
    qdrant.store.set_mode("")
    wait_for(lambda: good(ask(server, "GET", "/v1/vector_stores/" + store))["waiting"] == 0)
    found = good(ask(server, "POST", f"/v1/vector_stores/{store}/search", {"query": "azure valve"}))
    assert "degraded" not in found and len(found["data"]) == 2, found
    # The store loses rows, and gets them again.
    qdrant.store.control("/-/lose", {"rows": [1]})
    assert "repair" in good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "azure valve"}))["degraded"]
    repaired = good(ask(server, "POST", "/v1/rag/repair", {"collection": store}))
    assert (repaired["rows"], repaired["lacked"], repaired["extra"]) == (2, 1, 0), repaired
    assert "degraded" not in good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "azure valve"}))


def test_the_command_line_with_a_store(context):
    qdrant = Qdrant()
    server = context.server(CONFIG % qdrant.url)  # its folder; what is asked is in another
    folder = server.folder / "cli"
    embedder(folder)
    config = server.folder / "stores.toml"
    config.write_text((CONFIG % qdrant.url).replace("{a}", "http://127.0.0.1:9"))
    (folder / "pump.txt").write_text(PUMP)
    (folder / "valve.txt").write_text(VALVE)

    def run(*arguments, status=0, config=config):
        done = subprocess.run([context.binary, "--json", "rag", *arguments, *(["--config", str(config)] if config else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, env={"PATH": os.environ.get("PATH", ""), "AJAR_DATA": str(folder), "UPSTREAM_KEY": UPSTREAM_KEY, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                                                "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "")})
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    added = run("add", "handbook", str(folder / "pump.txt"), str(folder / "valve.txt"))
    assert (added["store"], added["waiting"], added["documents"]) == ("there", 0, 2), added
    hits = run("search", "handbook", "crimson pump", "-n", "1")
    assert hits["data"][0]["name"] == "pump.txt" and hits["data"][0]["meaning"] > 0.2 and "degraded" not in hits, hits
    assert run("ls")["data"][0]["store"] == "there"
    # Without the configuration it is searched by words, and says so.
    alone = run("search", "handbook", "crimson pump", config=None)
    assert alone["data"][0]["name"] == "pump.txt" and alone["data"][0]["meaning"] is None and "there" in alone["degraded"], alone
    qdrant.store.control("/-/lose", {})
    assert run("repair", "handbook")["lacked"] == 2
    assert "degraded" not in run("search", "handbook", "crimson pump")
    assert run("repair", "handbook", "--all") == {"rows": 2, "lacked": 2, "extra": 0, "waiting": 0}
    assert run("rm", "handbook", "--all")["removed"] == 2
    assert qdrant.store.tables == {}
    run("add", "local", str(folder / "pump.txt"), "--store", "here")
    assert qdrant.store.tables == {} and "store" not in run("ls")["data"][0]


def test_faults_of_the_configuration_are_named(context):
    server = context.server(CONFIG % "http://127.0.0.1:9")
    file = server.folder / "bad.toml"
    for line, said in (('kind = "chroma"\nurl = "http://h"', "one of qdrant"), ('kind = "qdrant"\nurl = "ftp://h"', "begins with http"),
                       ('kind = "pgvector"\nurl = "postgresql://me:secret@h/d"', "must not hold the password"),
                       ('kind = "milvus"\nurl = "http://h"\nconsistency = "ALL"', "one of Strong"), ('kind = "qdrant"\nurl = "http://h"\napi_key_env = "NOT_SET"', "NOT_SET is not set"),
                       ('kind = "qdrant"\nurl = "http://h"\ncollection_prefix = "A-b"', "small letters")):
        file.write_text("[vector_stores.x]\n" + line + "\n")
        done = subprocess.run([context.binary, "check", str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode != 0 and said in done.stdout and "bad.toml:" in done.stdout, (line, done.stdout)
    file.write_text('[rag]\nstore = "gone"\n')
    done = subprocess.run([context.binary, "check", str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert "there is no [vector_stores.gone]" in done.stdout and "bad.toml:2:" in done.stdout, done.stdout
