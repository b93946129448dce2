"""Pinecone's data plane as of 2026-04, and so much of its control plane as its clients need: one serverless index of dimension 8."""
import re

from base import Refused, Store, Table, is_number, numbers, only, strings

SIGNS = {"$eq": lambda a, b: a == b, "$gt": lambda a, b: a > b, "$gte": lambda a, b: a >= b, "$lt": lambda a, b: a < b, "$lte": lambda a, b: a <= b}


class Pinecone(Store):
    most_bytes = 2 << 20
    dimension = 8

    def key_of(self, row):
        return str(row)

    def authorized(self, headers):
        if self.key and headers.get("api-key") != self.key:
            raise Refused(401, "Invalid API Key")
        if not re.fullmatch(r"\d{4}-\d{2}", headers.get("x-pinecone-api-version", "")):
            raise Refused(400, "X-Pinecone-Api-Version is missing or malformed")

    def failure(self, status, message):
        return {"code": {400: 3, 404: 5, 401: 16, 429: 8}.get(status, 13), "message": message, "details": []}

    def route(self, method, path, query, body):
        if method == "GET" and path.startswith("/indexes/"):
            host = "http://127.0.0.1"
            return {"name": path[9:], "dimension": self.dimension, "metric": "cosine", "host": host, "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}},
                    "status": {"ready": True, "state": "Ready"}, "deletion_protection": "disabled", "vector_type": "dense"}
        if (method, path) == ("GET", "/vectors/fetch"):
            table, ids = self.tables.get(query.get("namespace", [""])[0]), query.get("ids", [])
            if not ids or len(ids) > 1000:
                raise Refused(400, "ids must be given")
            found = {k: table.rows[k] for k in ids if table and k in table.rows}
            return {"vectors": {k: {"id": k, "values": v, "metadata": m} for k, (v, m) in found.items()}, "namespace": query.get("namespace", [""])[0], "usage": {"readUnits": 1}}
        if method != "POST":
            raise Refused(404, "Not found")
        if path == "/describe_index_stats":
            return {"namespaces": {n: {"vectorCount": len(t.rows)} for n, t in self.tables.items() if t.rows}, "dimension": self.dimension, "indexFullness": 0,
                    "totalVectorCount": sum(len(t.rows) for t in self.tables.values()), "metric": "cosine", "vectorType": "dense"}
        space = (body or {}).get("namespace", "")
        if path == "/vectors/upsert":
            vectors = only(body, "vectors", "namespace").get("vectors")
            if not isinstance(vectors, list) or not 0 < len(vectors) <= 1000:
                raise Refused(400, "Number of vectors must be from 1 to 1000")
            for vector in vectors:
                only(vector, "id", "values", "metadata", "sparseValues")
                if not isinstance(vector.get("id"), str) or not 0 < len(vector["id"]) <= 512:
                    raise Refused(400, "Vector ID must be a string of 1 to 512 characters")
                if len(numbers(vector.get("values"), "values")) != self.dimension:
                    raise Refused(400, f"Vector dimension {len(vector['values'])} does not match the dimension of the index {self.dimension}")
                metadata = vector.get("metadata") or {}
                for name, value in metadata.items():
                    if name.startswith("$") or not (isinstance(value, (str, bool)) or is_number(value) or strings(value)):
                        raise Refused(400, f"Metadata value must be a string, number, boolean or list of strings, got '{value}' for field '{name}'")
                if len(str(metadata).encode()) > 40_960:
                    raise Refused(400, "Metadata size is over the limit of 40960 bytes per vector")
            table = self.tables.setdefault(space, Table(self.dimension))
            for vector in vectors:
                table.put(vector["id"], vector["values"], vector.get("metadata") or {})
            return {"upsertedCount": len(vectors)}
        if path == "/query":
            only(body, "namespace", "vector", "topK", "filter", "includeValues", "includeMetadata", "id", "sparseVector")
            top = body.get("topK")
            if not isinstance(top, int) or not 0 < top <= 10_000:
                raise Refused(400, "topK must be from 1 to 10000")
            if len(numbers(body.get("vector"))) != self.dimension:
                raise Refused(400, "Vector dimension does not match the dimension of the index")
            keep = self.filter(body["filter"]) if body.get("filter") else lambda m: True
            table = self.tables.get(space, Table(self.dimension))
            out = []
            for score, key in table.nearest(body["vector"], keep, top):
                match = {"id": key, "score": score}
                if body.get("includeMetadata"):
                    match["metadata"] = table.rows[key][1]
                if body.get("includeValues"):
                    match["values"] = table.rows[key][0]
                out.append(match)
            return {"matches": out, "namespace": space, "usage": {"readUnits": 1}}
        if path == "/vectors/delete":
            only(body, "ids", "deleteAll", "filter", "namespace")
            if space not in self.tables:
                raise Refused(404, "Namespace not found")
            table = self.tables[space]
            if body.get("deleteAll"):
                del self.tables[space]
            elif not strings(body.get("ids")) or not 0 < len(body["ids"]) <= 1000:
                raise Refused(400, "ids must be from 1 to 1000 strings")
            else:
                for key in body["ids"]:
                    self.erase(table, key)
            return {}
        raise Refused(404, "Not found")

    def filter(self, what):
        if not isinstance(what, dict) or not what:
            raise Refused(400, "invalid filter")
        return lambda metadata, parts=[self.condition(*one) for one in what.items()]: all(part(metadata) for part in parts)

    def condition(self, name, what):
        if name in ("$and", "$or"):
            if not isinstance(what, list) or not what:
                raise Refused(400, f"the {name} operator must be followed by a list")
            parts = [self.filter(one) for one in what]
            return (lambda m: all(p(m) for p in parts)) if name == "$and" else (lambda m: any(p(m) for p in parts))
        if name.startswith("$"):
            raise Refused(400, f"unknown operator {name}")
        if not isinstance(what, dict):
            what = {"$eq": what}
        tests = []
        for sign, wanted in what.items():
            if sign in ("$in", "$nin"):
                if not isinstance(wanted, list) or not 0 < len(wanted) <= 10_000 or not (strings(wanted) or all(is_number(x) for x in wanted)):
                    raise Refused(400, f"the {sign} operator must be followed by a list of strings or a list of numbers")
                has = lambda value, wanted=wanted: any(x in wanted for x in (value if isinstance(value, list) else [value]))  # noqa: E731
                tests.append((lambda v, has=has: v is not None and has(v)) if sign == "$in" else (lambda v, has=has: v is None or not has(v)))
            elif sign in SIGNS:
                if sign != "$eq" and not is_number(wanted):
                    raise Refused(400, f"the {sign} operator must be followed by a number")
                tests.append(lambda v, sign=sign, wanted=wanted: v is not None and is_number(v) == is_number(wanted) and SIGNS[sign](v, wanted))
            else:
                raise Refused(400, f"{sign} is not a valid operator")
        return lambda metadata: all(test(metadata.get(name)) for test in tests)
