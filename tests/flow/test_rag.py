"""Documents that can be asked: vector stores as OpenAI's clients use them, /v1/rag, `ajar rag`; what was acknowledged stays."""
import json
import os
import subprocess
import threading

from lib.client import Connection
from lib.upstream import chat_json, wait_for

CONFIG = """
[server]
access_log = "off"
[rag]
embedder = "none"
[providers.a]
base_url = "{a}/v1"
[routes.r]
targets = [{ provider = "a", model = "m" }]
"""
BOUNDARY = "ragform"
PUMP = "The warranty of the crimson pump lasts seven years. It is void when the seal is broken."
VALVE = "The azure valve opens at three bar. Clean it every spring."


def ask(server, method, path, body=None, key="main", content_type="application/json"):
    with Connection(server.port) as connection:
        connection.request(method, path, [("content-type", content_type)], body, server.keys[key])
        return connection.answer()


def good(answer):
    assert answer.status == 200, (answer.status, answer.text)
    return answer.json()


def upload(server, name, content, key="main", purpose="assistants"):
    content = content.encode() if isinstance(content, str) else content
    body = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n').encode() \
        + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return good(ask(server, "POST", "/v1/files", body, key, f"multipart/form-data; boundary={BOUNDARY}"))["id"]


def make(server, name="handbook", key="main", **more):
    return good(ask(server, "POST", "/v1/vector_stores", {"name": name, **more}, key))


def add(server, store, name, content, key="main", **more):
    file = upload(server, name, content, key)
    return good(ask(server, "POST", f"/v1/vector_stores/{store}/files", {"file_id": file, **more}, key))


def search(server, store, query, key="main", **more):
    return good(ask(server, "POST", f"/v1/vector_stores/{store}/search", {"query": query, **more}, key))["data"]


def names(hits):
    return [hit["filename"] for hit in hits]


def test_vector_stores_as_openai_has_them(context):
    server = context.server(CONFIG)
    store = make(server, metadata={"team": "support"}, description="of machines")
    assert store["object"] == "vector_store" and store["id"].startswith("vs_") and store["status"] == "completed", store
    assert store["metadata"] == {"team": "support"} and store["file_counts"]["total"] == 0 and store["embedder"] is None, store
    pump = add(server, store["id"], "pump.txt", PUMP, attributes={"year": 2024, "kind": "pump"})
    assert pump["object"] == "vector_store.file" and pump["status"] == "completed" and pump["last_error"] is None, pump
    assert pump["attributes"] == {"year": 2024, "kind": "pump"} and pump["vector_store_id"] == store["id"], pump
    valve = add(server, store["id"], "valve.md", "# Valves\n\n" + VALVE, attributes={"year": 2020, "kind": "valve"})

    hits = search(server, store["id"], "warranty of the pump", max_num_results=3, rewrite_query=True)
    assert names(hits)[:1] == ["pump.txt"] and hits[0]["file_id"] == pump["id"], hits
    content = hits[0]["content"][0]
    assert content["type"] == "text" and PUMP.encode()[content["begin"]:content["end"]].decode() == content["text"], content
    assert hits[0]["attributes"]["year"] == 2024

    both = "the every of seven spring"
    assert sorted(names(search(server, store["id"], both))) == ["pump.txt", "valve.md"]
    newer = {"type": "gte", "key": "year", "value": 2024}
    assert names(search(server, store["id"], both, filters=newer)) == ["pump.txt"]
    either = {"type": "or", "filters": [newer, {"type": "in", "key": "kind", "value": ["valve"]}]}
    assert len(search(server, store["id"], both, filters=either)) == 2
    assert names(search(server, store["id"], ["azure", "crimson"], max_num_results=2)) != []

    files = good(ask(server, "GET", f"/v1/vector_stores/{store['id']}/files?limit=1"))
    assert files["has_more"] is True and len(files["data"]) == 1
    rest = good(ask(server, "GET", f"/v1/vector_stores/{store['id']}/files?after={files['last_id']}"))
    assert {files["last_id"], rest["last_id"]} == {pump["id"], valve["id"]} and rest["has_more"] is False
    path = f"/v1/vector_stores/{store['id']}/files/{pump['id']}"
    assert good(ask(server, "GET", path))["id"] == pump["id"]
    assert good(ask(server, "GET", path + "/content"))["data"][0]["text"] == PUMP
    assert good(ask(server, "POST", path, {"attributes": {"year": 1999}}))["attributes"] == {"year": 1999}
    assert names(search(server, store["id"], both, filters=newer)) == []

    # Gone from the next search on; the uploaded file stays.
    assert good(ask(server, "DELETE", path)) == {"id": pump["id"], "object": "vector_store.file.deleted", "deleted": True}
    assert search(server, store["id"], "crimson warranty") == []
    assert ask(server, "GET", path).status == 404 and ask(server, "DELETE", path).status == 404
    assert ask(server, "GET", "/v1/files/" + pump["id"]).status == 200

    renamed = good(ask(server, "POST", "/v1/vector_stores/" + store["id"], {"name": "other"}))
    assert renamed["name"] == "other" and renamed["metadata"] == {"team": "support"} and renamed["file_counts"]["completed"] == 1
    second = make(server, file_ids=[pump["id"]])
    assert second["file_counts"] == {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1}, second
    listed = good(ask(server, "GET", "/v1/vector_stores?limit=1"))
    assert listed["has_more"] is True and len(listed["data"]) == 1
    rest = good(ask(server, "GET", "/v1/vector_stores?after=" + listed["last_id"]))
    assert {listed["last_id"], rest["last_id"]} == {store["id"], second["id"]}, (listed, rest)
    assert good(ask(server, "DELETE", "/v1/vector_stores/" + store["id"]))["deleted"] is True
    assert ask(server, "GET", "/v1/vector_stores/" + store["id"]).status == 404
    assert ask(server, "POST", f"/v1/vector_stores/{store['id']}/search", {"query": "x"}).status == 404


def test_questions_are_answered_with_quotes_or_not(context):
    server = context.server(CONFIG)
    store = make(server, "handbook")
    pump = add(server, store["id"], "pump.txt", PUMP)
    add(server, store["id"], "valve.txt", VALVE)
    for collection in (store["id"], "handbook"):
        said = good(ask(server, "POST", "/v1/rag/ask", {"collection": collection, "query": "How long does the warranty of the crimson pump last?"}))
        assert said["found"] is True and said["collection"] == store["id"], said
        cited = said["sentences"][0]["citations"][0]
        assert cited["document"] == pump["id"] and cited["name"] == "pump.txt" and cited["page"] is None, cited
        assert PUMP[cited["begin"]:cited["end"]] == cited["quote"] and "seven years" in said["answer"], said
    said = good(ask(server, "POST", "/v1/rag/ask", {"collection": "handbook", "query": "Who was the emperor of Byzantium?"}))
    assert said["found"] is False and said["answer"] == "not in the documents" and said["sentences"] == [], said
    found = good(ask(server, "POST", "/v1/rag/search", {"collection": "handbook", "query": "azure valve", "limit": 1}))["data"]
    assert [hit["name"] for hit in found] == ["valve.txt"] and found[0]["words"] > 0 and found[0]["meaning"] is None, found


def test_another_key_sees_nothing(context):
    server = context.server(CONFIG)
    server.new_key("other")
    server.admin("PUT", "teams/t", {})
    server.new_key("one", team="t")
    server.new_key("two", team="t")
    store = make(server)["id"]
    file = add(server, store, "pump.txt", PUMP)["id"]
    own = upload(server, "mine.txt", VALVE, key="other")
    for method, path, body in (("GET", "", None), ("POST", "", {"name": "x"}), ("DELETE", "", None), ("GET", "/files", None),
                               ("POST", "/files", {"file_id": own}), ("GET", "/files/" + file, None),
                               ("GET", f"/files/{file}/content", None), ("POST", "/files/" + file, {"attributes": {}}),
                               ("DELETE", "/files/" + file, None), ("POST", "/search", {"query": "pump"})):
        answer = ask(server, method, f"/v1/vector_stores/{store}{path}", body, "other")
        assert answer.status == 404 and "pump" not in answer.text, (method, path, answer.text)
    for kind in ("search", "ask"):
        for collection in (store, "handbook"):
            assert ask(server, "POST", "/v1/rag/" + kind, {"collection": collection, "query": "pump"}, "other").status == 404
    assert good(ask(server, "GET", "/v1/vector_stores", key="other"))["data"] == []
    # Nor does somebody else's file come in.
    mine = make(server, key="other")["id"]
    assert ask(server, "POST", f"/v1/vector_stores/{mine}/files", {"file_id": file}, "other").status == 404
    assert ask(server, "POST", "/v1/vector_stores", {"file_ids": [file]}, "other").status == 404
    assert names(search(server, store, "pump")) == ["pump.txt"]
    # A team shares what its keys make.
    shared = make(server, key="one")["id"]
    add(server, shared, "valve.txt", VALVE, key="two")
    assert names(search(server, shared, "valve", key="one")) == ["valve.txt"]
    for secret in (None, "sk-ajar-none"):
        with Connection(server.port) as connection:
            connection.request("GET", "/v1/vector_stores/" + store, key=secret)
            assert connection.answer().status == 401


def test_a_bad_file_costs_that_file_only(context):
    server = context.server(CONFIG)
    store = make(server)["id"]
    add(server, store, "pump.txt", PUMP)
    for name, content in (("damaged.pdf", b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R >>\nstream\n\xff\xfe\x00 no more"),
                          ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(200)), ("broken.docx", b"PK\x03\x04" + b"\xee" * 300)):
        failed = add(server, store, name, content)
        assert failed["status"] == "failed" and failed["last_error"]["message"], failed
    counts = good(ask(server, "GET", "/v1/vector_stores/" + store))["file_counts"]
    assert counts["completed"] == 1 and counts["failed"] == 3, counts
    listed = good(ask(server, "GET", f"/v1/vector_stores/{store}/files?filter=failed"))["data"]
    assert sorted(file["filename"] for file in listed) == ["broken.docx", "damaged.pdf", "picture.png"], listed
    assert names(search(server, store, "warranty")) == ["pump.txt"]
    # A page of HTML is read in the helper process.
    page = add(server, store, "page.html", f"<html><head><title>Valves</title></head><body><main><p>{VALVE} {VALVE}</p></main></body></html>")
    assert page["status"] == "completed", page
    assert names(search(server, store, "azure valve"))[0] == "page.html"


def test_bad_requests_name_the_field(context):
    server = context.server(CONFIG)
    store = make(server)["id"]
    file = add(server, store, "pump.txt", PUMP, attributes={"year": 2024})["id"]
    base = "/v1/vector_stores"
    for path, body, said in ((base, {"expires_after": {"anchor": "last_active_at", "days": 1}}, "expires_after"),
                             (base, {"surprise": 1}, "surprise"), (base, {"name": 1}, "name"), (base, {"metadata": 1}, None),
                             (base, {"chunking_strategy": {"type": "static", "static": {}}}, "chunking_strategy"),
                             (f"{base}/{store}/files", {}, "file_id"),
                             (f"{base}/{store}/files", {"file_id": file, "attributes": {"x": []}}, "attributes.x"),
                             (f"{base}/{store}/search", {}, "query"), (f"{base}/{store}/search", {"query": " "}, "query"),
                             (f"{base}/{store}/search", {"query": "x", "max_num_results": 51}, "max_num_results"),
                             (f"{base}/{store}/search", {"query": "x", "filters": {"type": "eq"}}, "filters.key"),
                             (f"{base}/{store}/search", {"query": "x", "ranking_options": {"score_threshold": 0.5}}, "ranking_options.score_threshold"),
                             ("/v1/rag/ask", {"query": "x"}, "collection"), ("/v1/rag/search", {"collection": store}, "query")):
        answer = ask(server, "POST", path, body)
        assert answer.status == 400 and (said is None or answer.error()["param"] == said), (path, body, answer.text)
    # A field that no document has says which there are.
    answer = ask(server, "POST", f"{base}/{store}/search", {"query": "x", "filters": {"type": "eq", "key": "yaer", "value": 1}})
    assert answer.status == 400 and "year" in answer.text, answer.text
    assert ask(server, "POST", f"{base}/{store}/files", {"file_id": "file-nope"}).status == 404
    assert ask(server, "POST", base, {"file_ids": ["file-nope"]}).status == 404
    assert len(good(ask(server, "GET", base))["data"]) == 1
    for path in ("/v1/vector_stores/..%2F..%2Fajar.db", "/v1/vector_stores/vs_nope", "/v1/vector_stores/x/y/z", "/v1/rag/nothing"):
        assert ask(server, "GET", path).status == 404, path
    assert ask(server, "PUT", "/v1/vector_stores").status == 405
    assert ask(server, "GET", base + "?limit=0").status == 400 and ask(server, "GET", base + "?before=x").status == 400


def test_kill_9_keeps_what_was_acknowledged(context):
    """Files are added and removed until the server is killed, three times; then exactly what was acknowledged is there."""
    server = context.server(CONFIG)
    store = make(server)["id"]
    there, gone, number, faults = {}, set(), 0, []
    for _ in range(3):
        stop = threading.Event()

        def work(start):
            at = start
            while not stop.is_set():
                name, word = f"f{at}.txt", f"unique{at}word"
                try:
                    file = add(server, store, name, f"This file holds the {word} and no other.")["id"]
                    there[word] = (name, file)
                    if at % 3 == 0:
                        # From when it is asked for the file may be gone; from the answer on it is.
                        del there[word]
                        if good(ask(server, "DELETE", f"/v1/vector_stores/{store}/files/{file}"))["deleted"]:
                            gone.add(word)
                except (OSError, AssertionError) as error:
                    if not stop.is_set():
                        faults.append(error)
                    return
                at += 1
        before = len(there)
        worker = threading.Thread(target=work, args=(number,))
        worker.start()
        wait_for(lambda: len(there) >= before + 8 or not worker.is_alive())
        stop.set()
        server.kill()
        worker.join()
        assert faults == [] and len(there) >= before + 8, (faults, len(there), before)
        number += 1000
        server.start()
        for word, (name, _) in there.items():
            assert names(search(server, store, word)) == [name], word
        for word in gone:
            assert search(server, store, word) == [], word
    context.note(f"3 kills: {len(there)} files there, {len(gone)} gone")
    assert server.stop() is None
    server.start()
    assert good(ask(server, "GET", "/v1/vector_stores/" + store))["file_counts"]["completed"] >= len(there)
    assert names(search(server, store, next(iter(there)))) == [next(iter(there.values()))[0]]


def command(context, folder, *arguments, status=0):
    run = subprocess.run([context.binary, "--json", "rag", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                         env={"PATH": os.environ.get("PATH", ""), "AJAR_DATA": str(folder / "data"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                              "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "")})
    assert run.returncode == status, (arguments, run.returncode, run.stdout, run.stderr)
    return json.loads(run.stdout) if run.stdout else run.stderr.decode()


def test_the_command_line_on_a_folder(context):
    server = context.server(CONFIG)
    folder = server.folder
    docs = folder / "docs"
    (docs / "sub").mkdir(parents=True)
    (docs / "pump.txt").write_text(PUMP)
    (docs / "sub" / "valve.html").write_text(f"<html><body><main><p>{VALVE} {VALVE}</p></main></body></html>")
    (docs / "bad.pdf").write_bytes(b"%PDF-1.4 and nothing that follows")
    done = command(context, folder, "sync", "docs", str(docs))
    assert (done["added"], done["failed"], done["removed"], done["embedder"]) == (2, 1, 0, ""), done
    assert [(f["file"], f["status"]) for f in done["files"] if f["status"] == "failed"] == [("bad.pdf", "failed")] and done["files"][0]["reason"], done
    again = command(context, folder, "sync", "docs", str(docs))
    assert (again["added"], again["replaced"], again["unchanged"], again["failed"]) == (0, 0, 2, 1), again
    extra = folder / "extra.md"
    extra.write_text("# Filters\n\nThe green filter is changed in October.\n")
    added = command(context, folder, "add", "docs", str(extra), str(folder / "missing.txt"), "--metadata", '{"year":2024}', status=1)
    assert [f["status"] for f in added["files"]] == ["failed", "added"], added
    hits = command(context, folder, "search", "docs", "green filter", "-n", "1")["data"]
    assert hits[0]["name"] == "extra.md" and "October" in hits[0]["text"], hits
    assert command(context, folder, "search", "docs", "the", "--filter", '{"type":"eq","key":"year","value":1}')["data"] == []
    said = command(context, folder, "ask", "docs", "When is the green filter changed?")
    cited = said["sentences"][0]["citations"][0]
    assert said["found"] and "October" in said["answer"] and cited["document"] == str(extra.resolve()), said
    assert command(context, folder, "ask", "docs", "Who was the emperor of Byzantium?")["answer"] == "not in the documents"
    # A file that went from the folder goes from the collection; what is not of the folder stays.
    (docs / "pump.txt").unlink()
    assert command(context, folder, "sync", "docs", str(docs))["removed"] == 1
    listed = {row["name"]: row["status"] for row in command(context, folder, "ls", "docs")["data"]}
    assert listed == {"bad.pdf": "failed", "sub/valve.html": "ready", "extra.md": "ready"}, listed
    assert command(context, folder, "rm", "docs", str(extra))["removed"] == 1
    assert command(context, folder, "search", "docs", "green filter")["data"] == []
    assert [(c["collection"], c["ready"], c["failed"]) for c in command(context, folder, "ls")["data"]] == [("docs", 1, 1)]

    # What the command line makes for a team is a vector store of its keys, and of nobody else.
    server.admin("PUT", "teams/t", {})
    server.new_key("one", team="t")
    command(context, folder, "add", "manuals", str(extra), "--owner", "team:t")
    assert names(search(server, "manuals", "green filter", key="one")) == ["extra.md"]
    assert ask(server, "GET", "/v1/vector_stores/manuals").status == 404
    # While the server has it open nobody else writes in it.
    assert command(context, folder, "add", "manuals", str(extra), "--owner", "team:t", status=1)["code"] == "conflict"
    assert command(context, folder, "rm", "docs", "--all")["removed"] == 2
    assert command(context, folder, "ls")["data"] == []


def test_a_judged_set_is_measured(context):
    server = context.server(CONFIG)
    folder = server.folder / "set"
    (folder / "qrels").mkdir(parents=True)
    words = ["apple", "brick", "cloud", "drum", "eagle", "fern", "glass", "honey"]
    rows = [{"_id": f"d{i}", "title": word, "text": f"All about the {word} and its uses."} for i, word in enumerate(words)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text("".join(json.dumps({"_id": f"q{i}", "text": f"what of the {word}"}) + "\n" for i, word in enumerate(words)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(f"q{i}\td{i}\t1\n" for i in range(len(words))))
    measured = command(context, server.folder, "bench", str(folder))
    assert measured["documents"] == 8 and measured["embedder"] == "" and measured["words"]["ndcg10"] == 1, measured


def test_searches_are_metered_and_limited(context):
    server = context.server(CONFIG)
    store = make(server)["id"]
    add(server, store, "pump.txt", PUMP)
    search(server, store, "warranty")
    good(ask(server, "POST", "/v1/rag/ask", {"collection": store, "query": "Who was the emperor of Byzantium?"}))
    good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "zzz"}))
    assert ask(server, "POST", "/v1/rag/search", {"collection": "nothing", "query": "x"}).status == 404
    metrics = server.metrics()
    for series in ('ajar_rag_searches_total{endpoint="vector_store_search",outcome="found"}',
                   'ajar_rag_searches_total{endpoint="rag_ask",outcome="not_in_documents"}',
                   'ajar_rag_searches_total{endpoint="rag_search",outcome="empty"}',
                   'ajar_rag_searches_total{endpoint="rag_search",outcome="error"}'):
        assert metrics.get(series) == 1, (series, {name: value for name, value in metrics.items() if "ajar_rag" in name})
    assert metrics['ajar_rag_seconds_count{leg="words"}'] == 3
    rows = server.calls(count=4)
    assert sorted((row["endpoint"], row["status"], row["cost"]) for row in rows) == [
        ("rag_ask", 200, 0), ("rag_search", 200, 0), ("rag_search", 404, 0), ("vector_store_search", 200, 0)], rows
    # The requests a minute of a key hold here too.
    server.new_key("few", rpm=2)
    mine = make(server, key="few")["id"]
    statuses = [ask(server, "POST", f"/v1/vector_stores/{mine}/search", {"query": "x"}, "few").status for _ in range(3)]
    assert statuses == [200, 200, 429], statuses


def test_a_route_writes_lines_of_context(context):
    def describe(request, wire):
        said = request.json()["messages"][-1]["content"]
        assert "<passage>" in said and "crimson" in said, said
        wire.whole(200, [("content-type", "application/json")], json.dumps(chat_json("Of the zebrafish manual: how long a pump is warranted.")))

    context.upstreams["a"].reset(describe)
    server = context.server(CONFIG.replace('embedder = "none"', 'embedder = "none"\ncontext_route = "r"'))
    store = make(server)["id"]
    added = add(server, store, "pump.txt", PUMP)
    assert added["status"] == "completed", added
    hits = good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "zebrafish"}))["data"]
    assert [hit["name"] for hit in hits] == ["pump.txt"] and hits[0]["text"] == PUMP and "zebrafish" in hits[0]["context"], hits
    said = good(ask(server, "POST", "/v1/rag/ask", {"collection": store, "query": "How long is the warranty of the crimson pump in the zebrafish manual?"}))
    assert "zebrafish" not in said["answer"], said
    # The key that added it paid; it is a call like others.
    rows = [row for row in server.calls(count=3) if row["route"] == "r"]
    assert len(rows) == 1 and rows[0]["key"] == "default", rows


RERANK = """
[providers.order]
base_url = "{b}/v1"
[routes.order]
targets = [{ provider = "order", model = "cross" }]
[routes.other]
targets = [{ provider = "order", model = "another" }]
"""


def by_length(request, wire):
    """A cross-encoder that likes short passages."""
    documents = request.json()["documents"]
    wire.whole(200, [("content-type", "application/json")],
               json.dumps({"results": [{"index": i, "relevance_score": 1 / len(text)} for i, text in enumerate(documents)]}))


def reranks(server, outcome):
    return server.metrics().get(f'ajar_rag_rerank_total{{outcome="{outcome}"}}', 0)


def test_a_route_of_cross_encoders_puts_passages_in_order(context):
    upstream = context.upstreams["b"]
    upstream.reset(by_length)
    server = context.server(CONFIG.replace('embedder = "none"', 'embedder = "none"\nrerank = "order"\nrerank_timeout = "10s"') + RERANK)
    store = make(server)["id"]
    add(server, store, "long.txt", "Pump, pump, pump: the pump of the pumps is a pump that pumps as no other pump has pumped before it in this house.")
    add(server, store, "short.txt", "A pump stands in the cellar.")
    question = {"collection": store, "query": "pump"}
    found = good(ask(server, "POST", "/v1/rag/search", question))
    assert [hit["name"] for hit in found["data"]] == ["short.txt", "long.txt"] and "degraded" not in found, found
    assert all(hit["score"] == hit["rerank"] for hit in found["data"]), found
    assert upstream.requests[-1].json()["model"] == "cross" and len(upstream.requests[-1].json()["documents"]) == 2
    # It is a call like others: the key that searched pays.
    rows = [row for row in server.calls(count=1) if row["endpoint"] == "rerank"]
    assert rows and rows[0]["route"] == "order" and rows[0]["key"] == "default", rows
    assert reranks(server, "done") == 1

    asked = len(upstream.requests)
    plain = good(ask(server, "POST", "/v1/rag/search", {**question, "rerank": "none"}))
    assert [hit["name"] for hit in plain["data"]] == ["long.txt", "short.txt"] and "rerank" not in plain["data"][0], plain
    assert names(search(server, store, "pump", ranking_options={"ranker": "none"})) == ["long.txt", "short.txt"]
    assert len(upstream.requests) == asked
    assert names(search(server, store, ["pump", "the pump"], ranking_options={"ranker": "other"})) == ["short.txt", "long.txt"]
    assert [request.json()["model"] for request in upstream.requests[asked:]] == ["another", "another"]
    assert names(search(server, store, "pump", ranking_options={"ranker": "auto"})) == ["short.txt", "long.txt"]
    asked = len(upstream.requests)
    good(ask(server, "POST", "/v1/rag/ask", question))
    assert len(upstream.requests) == asked + 1
    # A route that the question names must be there.
    assert ask(server, "POST", "/v1/rag/search", {**question, "rerank": "nosuch"}).status == 404

    # A collection's own choice.
    updated = good(ask(server, "POST", "/v1/vector_stores/" + store, {"rerank": "none"}))
    assert updated["rerank"] == "none", updated
    asked = len(upstream.requests)
    assert names(search(server, store, "pump")) == ["long.txt", "short.txt"] and len(upstream.requests) == asked
    good(ask(server, "POST", "/v1/vector_stores/" + store, {"rerank": "other"}))
    assert names(search(server, store, "pump")) == ["short.txt", "long.txt"] and upstream.requests[-1].json()["model"] == "another"
    assert make(server, "second", rerank="order")["rerank"] == "order"

    # Without an answer the search's own order stands, and says so.
    upstream.reset(lambda request, wire: wire.whole(500, [("content-type", "application/json")], '{"error":{"message":"down"}}'))
    failed = good(ask(server, "POST", "/v1/rag/search", question))
    assert [hit["name"] for hit in failed["data"]] == ["long.txt", "short.txt"], failed
    assert failed["degraded"].startswith("not re-ranked"), failed
    assert reranks(server, "failed") == 2    # with the one that names no route


def test_a_late_ranking_is_not_waited_for(context):
    gone = threading.Event()

    def hang(request, wire):
        gone.wait(30)

    context.upstreams["b"].reset(hang)
    server = context.server(CONFIG.replace('embedder = "none"', 'embedder = "none"\nrerank = "order"\nrerank_timeout = "200ms"') + RERANK)
    store = make(server)["id"]
    add(server, store, "pump.txt", PUMP)
    found = good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "pump"}))
    assert [hit["name"] for hit in found["data"]] == ["pump.txt"] and "in time" in found["degraded"], found
    assert reranks(server, "late") == 1
    gone.set()


def test_passages_go_nowhere_that_may_not_see_them(context):
    context.upstreams["b"].reset(by_length)
    # The upstream is on this machine by its address, but an ordinary provider is outside unless it says otherwise.
    restricted = CONFIG.replace('embedder = "none"', 'embedder = "none"\ndata_class = "restricted"') + RERANK
    server = context.server(restricted)
    store = make(server)["id"]
    add(server, store, "pump.txt", PUMP)
    found = good(ask(server, "POST", "/v1/vector_stores/" + store + "/search", {"query": "pump"}))
    assert names(found["data"]) == ["pump.txt"], found
    assert ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "pump", "rerank": "order"}).status == 403
    good(ask(server, "POST", "/v1/vector_stores/" + store, {"rerank": "order"}))
    found = good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "pump"}))
    assert [hit["name"] for hit in found["data"]] == ["pump.txt"] and "restricted" in found["degraded"], found
    assert context.upstreams["b"].requests == []
    # As the default it is refused when the configuration is read.
    server.config_file.write_text(server.config_file.read_text().replace('embedder = "none"', 'embedder = "none"\nrerank = "order"'))
    answer = server.admin("POST", "reload")
    assert answer.status == 400 and "may not be shown documents" in answer.text, answer.text
    server.config_file.write_text(server.config_file.read_text().replace('rerank = "order"', 'rerank = "nosuch"'))
    answer = server.admin("POST", "reload")
    assert answer.status == 400 and "rag.rerank" in answer.text, answer.text


def test_a_cross_encoder_in_this_process(context):
    """Of random weights: its order means nothing, but it is the same wherever it is asked."""
    server = context.server(CONFIG)
    folder = server.data / "models" / "made--cross"
    folder.mkdir(parents=True)
    made = subprocess.run([context.binary, "quantize", "--random", "tiny-reranker", str(folder / "cross.gguf"), "F32"], capture_output=True, timeout=120)
    assert made.returncode == 0, made.stderr
    server.config_file.write_text(server.config_file.read_text().replace('embedder = "none"', 'embedder = "none"\nrerank = "order"\nrerank_timeout = "60s"\ndata_class = "restricted"') + """
[providers.here]
preset = "local"
[routes.order]
targets = [{ provider = "here", model = "made/cross" }]
""")
    assert server.stop() is None
    server.start()
    documents = ["pump " + "word " * (i % 7) + chr(97 + i) for i in range(40)]     # more than are scored at once
    ranked = good(ask(server, "POST", "/v1/rerank", {"model": "order", "query": "pump", "documents": documents}))["results"]
    scores = {one["index"]: one["relevance_score"] for one in ranked}
    assert sorted(scores) == list(range(40)) and all(0 < score < 1 for score in scores.values()), scores
    assert [one["relevance_score"] for one in ranked] == sorted(scores.values(), reverse=True)
    for i in (0, 17, 39):
        alone = good(ask(server, "POST", "/v1/rerank", {"model": "order", "query": "pump", "documents": [documents[i]]}))["results"][0]
        assert abs(alone["relevance_score"] - scores[i]) < 0.01, (i, alone, scores[i])     # arithmetic goes by the number of rows
    assert ask(server, "POST", "/v1/rerank", {"model": "order", "query": "pump " * 5000, "documents": ["a"]}).status == 400

    store = make(server)["id"]
    for i in range(5):
        add(server, store, f"{i}.txt", documents[i])
    found = good(ask(server, "POST", "/v1/rag/search", {"collection": store, "query": "pump"}))
    assert len(found["data"]) == 5 and "degraded" not in found, found
    order = [(hit["name"], hit["rerank"]) for hit in found["data"]]
    assert [score for _, score in order] == sorted((score for _, score in order), reverse=True), order

    # The command line asks the same model without a server, or this one.
    files = [server.folder / f"{i}.txt" for i in range(5)]
    for i, file in enumerate(files):
        file.write_text(documents[i])
    other = server.folder / "other"
    other.mkdir()
    (other / "data" / "models" / "made--cross").mkdir(parents=True)
    os.link(folder / "cross.gguf", other / "data" / "models" / "made--cross" / "cross.gguf")
    command(context, other, "add", "docs", *[str(file) for file in files], "--embedder", "none")
    assert "rerank" not in command(context, other, "ls")["data"][0]
    command(context, other, "add", "docs", str(files[0]), "--rerank", "order")     # kept with the collection, for servers
    assert command(context, other, "ls")["data"][0]["rerank"] == "order"
    command(context, other, "add", "docs", str(files[0]), "--rerank", "default")
    assert "rerank" not in command(context, other, "ls")["data"][0]
    here = command(context, other, "search", "docs", "pump", "-n", "5", "--rerank", "made/cross")["data"]
    # Each process times which kernels are fastest for it, so that scores agree but for rounding; the order is by one's own.
    assert {hit["name"] for hit in here} == {name for name, _ in order}, (here, order)
    assert all(abs(hit["rerank"] - dict(order)[hit["name"]]) < 0.01 for hit in here), (here, order)
    assert [hit["rerank"] for hit in here] == sorted((hit["rerank"] for hit in here), reverse=True), here
    there = command(context, other, "search", "docs", "pump", "-n", "5", "--rerank", "order", "--url", f"http://127.0.0.1:{server.port}", "--key", server.keys["main"])["data"]
    assert [hit["name"] for hit in there] == [name for name, _ in order], (there, order)
    refused = command(context, other, "search", "docs", "pump", "--rerank", "nosuch", "--url", f"http://127.0.0.1:{server.port}", "--key", server.keys["main"], status=1)
    assert "nosuch" in refused["error"], refused


def test_a_preview_stores_nothing(context):
    server = context.server(CONFIG)
    file = server.folder / "guide.md"
    file.write_text("# Guide\n\nFirst.\n\n# Second\n\n" + PUMP + "\n")
    seen = command(context, server.folder, "add", "docs", str(file), "--preview")["files"][0]
    assert seen["format"] == "md" and [chunk["text"].split("\n")[0] for chunk in seen["chunks"]] == ["Guide", "Second"], seen
    assert all(chunk["tokens"] > 0 for chunk in seen["chunks"])
    assert command(context, server.folder, "ls")["data"] == []
