"""Qdrant's REST surface as of 1.10 and later, with the strict mode that its cloud has: filters need an index of the right type."""
import re
import uuid

from base import Refused, Store, Table, is_number, numbers, only, strings

INDEX_TYPES = ("keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid")


def point_id(value):
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str):
        try:
            return str(uuid.UUID(value))
        except ValueError:
            pass
    raise Refused(400, f"Format error in JSON body: value {value} is not a valid point ID, valid values are either an unsigned integer or a UUID")


def at(payload, path):
    for name in path.split("."):
        if not isinstance(payload, dict) or name not in payload:
            return []
        payload = payload[name]
    return payload if isinstance(payload, list) else [payload]


class Qdrant(Store):
    def __init__(self, key=""):
        super().__init__(key)
        self.indexes = {}

    def authorized(self, headers):
        given = headers.get("api-key") or (headers.get("authorization") or "").removeprefix("Bearer ")
        if self.key and given != self.key:
            raise Refused(401, "Must provide an API key or an Authorization bearer token" if not given else "Invalid API key or JWT")

    def failure(self, status, message):
        return message if status == 401 else {"status": {"error": message}, "time": 0.0001}

    @staticmethod
    def ok(result):
        return {"result": result, "status": "ok", "time": 0.0001}

    def table(self, name):
        if name not in self.tables:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.tables[name]

    def route(self, method, path, query, body):
        if (method, path) == ("GET", "/"):
            return {"title": "qdrant - vector search engine", "version": "1.18.0", "commit": "emulated"}
        if (method, path) == ("GET", "/collections"):
            return self.ok({"collections": [{"name": name} for name in self.tables]})
        match = re.fullmatch(r"/collections/([^/]+)((?:/[a-z]+)*)", path)
        if not match:
            raise Refused(404, "")
        name, rest = match.groups()
        if rest == "":
            return self.collection(method, name, body)
        if (method, rest) == ("GET", "/exists"):
            return self.ok({"exists": name in self.tables})
        table = self.table(name)
        done = "completed" if query.get("wait") == ["true"] else "acknowledged"
        if query.get("ordering", ["weak"])[0] not in ("weak", "medium", "strong"):
            raise Refused(400, "Deserialize error: unknown variant for ordering")
        written = self.ok({"operation_id": len(self.log), "status": done})
        if (method, rest) == ("PUT", "/index"):
            only(body, "field_name", "field_schema")
            if body.get("field_schema") not in INDEX_TYPES or not isinstance(body.get("field_name"), str):
                raise Refused(400, "Format error in JSON body: data did not match any variant of untagged enum PayloadFieldSchema")
            self.indexes[name][body["field_name"]] = body["field_schema"]
            return written
        if (method, rest) == ("PUT", "/points"):
            for point in only(body, "points")["points"]:
                only(point, "id", "vector", "payload")
                vector = numbers(point.get("vector"))
                if len(vector) != table.width:
                    raise Refused(400, f"Wrong input: Vector dimension error: expected dim: {table.width}, got {len(vector)}")
                point_id(point.get("id"))
            for point in body["points"]:
                table.put(point_id(point["id"]), point["vector"], point.get("payload") or {})
            return written
        if (method, rest) == ("POST", "/points/delete"):
            only(body, "points", "filter")
            if ("points" in body) == ("filter" in body):
                raise Refused(400, "Format error in JSON body: data did not match any variant of untagged enum PointsSelector")
            keep = self.filter(name, body["filter"]) if "filter" in body else None
            for key in [point_id(p) for p in body["points"]] if keep is None else [k for k, (_, f) in table.rows.items() if keep(f)]:
                self.erase(table, key)
            return written
        if (method, rest) == ("POST", "/points/query"):
            only(body, "query", "filter", "limit", "with_payload", "with_vector", "params", "score_threshold", "offset")
            vector = numbers(body.get("query"), "query")
            if len(vector) != table.width:
                raise Refused(400, f"Wrong input: Vector dimension error: expected dim: {table.width}, got {len(vector)}")
            found = table.nearest(vector, self.filter(name, body.get("filter")), self.limit(body))
            return self.ok({"points": [self.point(table, key, body, {"version": 0, "score": score}) for score, key in found]})
        if (method, rest) == ("POST", "/points/count"):
            only(body, "exact", "filter")
            keep = self.filter(name, body.get("filter"))
            return self.ok({"count": sum(keep(fields) for _, fields in table.rows.values())})
        if (method, rest) == ("POST", "/points/scroll"):
            only(body, "offset", "limit", "filter", "with_payload", "with_vector")
            keep, limit = self.filter(name, body.get("filter")), self.limit(body)
            keys = sorted((k for k, (_, fields) in table.rows.items() if keep(fields)), key=lambda k: (isinstance(k, str), k))
            if body.get("offset") is not None:
                start = point_id(body["offset"])
                keys = [k for k in keys if (isinstance(k, str), k) >= (isinstance(start, str), start)]
            more = keys[limit] if len(keys) > limit else None
            return self.ok({"points": [self.point(table, key, body, {}) for key in keys[:limit]], "next_page_offset": more})
        raise Refused(405 if rest.startswith("/points") else 404, "")

    def collection(self, method, name, body):
        if method == "PUT":
            if name in self.tables:
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            vectors = only(body, "vectors", "on_disk_payload", "hnsw_config", "optimizers_config").get("vectors")
            only(vectors, "size", "distance", "on_disk")
            if vectors.get("distance") not in ("Cosine", "Dot", "Euclid", "Manhattan") or not isinstance(vectors.get("size"), int) or not 0 < vectors["size"] <= 65536:
                raise Refused(400, "Format error in JSON body: data did not match any variant of untagged enum VectorsConfig")
            self.tables[name], self.indexes[name] = Table(vectors["size"]), {}
            self.tables[name].distance = vectors["distance"]
            return self.ok(True)
        if method == "DELETE":
            return self.ok(self.tables.pop(name, None) is not None)
        table = self.table(name)
        if method != "GET":
            raise Refused(405, "")
        return self.ok({"status": "green", "optimizer_status": "ok", "points_count": len(table.rows), "indexed_vectors_count": 0, "segments_count": 1,
                        "config": {"params": {"vectors": {"size": table.width, "distance": table.distance}}, "hnsw_config": {}, "optimizer_config": {}, "wal_config": {}},
                        "payload_schema": {field: {"data_type": kind, "points": 0} for field, kind in self.indexes[name].items()}})

    @staticmethod
    def limit(body):
        limit = body.get("limit", 10)
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise Refused(422, "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]")
        return limit

    @staticmethod
    def point(table, key, body, more):
        vector, payload = table.rows[key]
        out = {"id": key, **more}
        if body.get("with_payload"):
            out["payload"] = payload
        if body.get("with_vector"):
            out["vector"] = vector
        return out

    def filter(self, name, what):
        if what is None:
            return lambda payload: True
        only(what, "must", "should", "must_not")
        parts = {kind: [self.condition(name, one) for one in (value if isinstance(value, list) else [value])] for kind, value in what.items()}
        return lambda p: all(c(p) for c in parts.get("must", [])) and not any(c(p) for c in parts.get("must_not", [])) \
            and (not parts.get("should") or any(c(p) for c in parts["should"]))

    def condition(self, name, what):
        if not isinstance(what, dict) or not what:
            raise Refused(400, "Format error in JSON body: data did not match any variant of untagged enum Condition")
        if "key" not in what:
            if "has_id" in what:
                raise Refused(400, "the emulation does not know has_id")
            return self.filter(name, what)
        only(what, "key", "match", "range")
        key = what["key"]
        if "match" in what:
            match = only(what["match"], "value", "any", "except")
            wanted = match.get("any", match.get("except", [match["value"]] if "value" in match else None))
            whole = isinstance(wanted, list) and all(isinstance(x, int) and not isinstance(x, bool) for x in wanted)
            if not (strings(wanted) or whole or isinstance(match.get("value"), bool)):
                raise Refused(400, "Format error in JSON body: data did not match any variant of untagged enum Condition")  # no fractions, no mixture
            self.indexed(name, key, "keyword" if strings(wanted) else "bool" if isinstance(match.get("value"), bool) else "integer")
            if "except" in match:
                return lambda payload: any(x not in wanted for x in at(payload, key))
            return lambda payload: any(type(x) is type(y) and x == y for x in at(payload, key) for y in wanted)
        bounds = only(what.get("range"), "gt", "gte", "lt", "lte")
        if not bounds or not all(is_number(bound) for bound in bounds.values()):
            raise Refused(400, "Format error in JSON body: data did not match any variant of untagged enum Condition")
        self.indexed(name, key, "float", "integer")
        return lambda payload: any(is_number(x) and x > bounds.get("gt", -1e308) and x >= bounds.get("gte", -1e308) and x < bounds.get("lt", 1e308)
                                   and x <= bounds.get("lte", 1e308) for x in at(payload, key))

    def indexed(self, name, key, *kinds):
        if self.indexes[name].get(key) not in kinds:
            raise Refused(400, f'Bad request: Index required but not found for "{key}" of one of the following types: [{", ".join(kinds)}]. '
                               "Help: Create an index for this key or use a different filter.")
