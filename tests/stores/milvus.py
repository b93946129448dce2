"""Milvus' REST surface, /v2/vectordb, as of 2.4 and later. Every answer has status 200; `code` says what came of it."""
import json
import re

from base import Refused, Store, Table, is_number, numbers, only, strings

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}\Z")
TOKEN = re.compile(r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[A-Za-z_]\w*)|(?P<sign>==|!=|>=|<=|[><()\[\],]))')


class Refusal(Refused):
    """An error with a code, under status 200."""

    def __init__(self, code, message):
        super().__init__(200, message)
        self.code = code


class Expression:
    """A boolean expression: comparisons, in, and, or, not, array_contains, array_contains_any. Missing keys of JSON keep nothing."""

    def __init__(self, text, schema):
        self.schema, self.at, self.tokens = schema, 0, []
        place = 0
        while text[place:].strip():
            match = TOKEN.match(text, place)
            if not match:
                self.bad(text[place:])
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            place = match.end()
        self.test = self.disjunction()
        if self.at != len(self.tokens):
            self.bad(self.tokens[self.at][1])

    def bad(self, what):
        raise Refusal(1100, f"failed to create query plan: cannot parse expression: invalid expression near {what!r}")

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self, wanted=None):
        if self.at >= len(self.tokens) or (wanted is not None and self.tokens[self.at][1] != wanted):
            self.bad(self.peek() or "the end")
        self.at += 1
        return self.tokens[self.at - 1]

    def disjunction(self):
        parts = [self.conjunction()]
        while self.peek() in ("or", "||", "OR"):
            self.next()
            parts.append(self.conjunction())
        return lambda row: any(part(row) for part in parts)

    def conjunction(self):
        parts = [self.negation()]
        while self.peek() in ("and", "&&", "AND"):
            self.next()
            parts.append(self.negation())
        return lambda row: all(part(row) for part in parts)

    def negation(self):
        if self.peek() in ("not", "NOT"):
            self.next()
            part = self.negation()
            return lambda row: not part(row)
        if self.peek() == "(":
            self.next()
            part = self.disjunction()
            self.next(")")
            return part
        return self.comparison()

    def value(self):
        kind, text = self.next()
        if kind == "string":
            if text[0] == "'":
                self.bad(text)
            return json.loads(text)
        if kind == "number":
            return json.loads(text)
        return self.bad(text)

    def list(self):
        self.next("[")
        out = []
        while self.peek() != "]":
            out.append(self.value())
            if self.peek() != "]":
                self.next(",")
        self.next("]")
        return out

    def field(self, *kinds):
        kind, name = self.next()
        if kind != "word" or name not in self.schema or self.schema[name] not in kinds:
            raise Refusal(1100, f"failed to create query plan: cannot parse expression: field {name} not exist or of another type")
        return name

    def comparison(self):
        if self.peek() in ("array_contains_any", "array_contains", "ARRAY_CONTAINS_ANY"):
            word = self.next()[1].lower()
            self.next("(")
            name = self.field("Array")
            self.next(",")
            wanted = self.list() if word.endswith("any") else [self.value()]
            if not wanted or not strings(wanted):
                self.bad("a list of other things than the field's")
            self.next(")")
            return lambda row: any(one in row[name] for one in wanted)
        name = self.field("Int64", "JSON", "VarChar")
        if self.schema[name] == "JSON":
            self.next("[")
            key = self.value()
            self.next("]")
            read = lambda row: row[name].get(key)  # noqa: E731
        else:
            read = lambda row: row[name]  # noqa: E731
        sign = self.next()[1]
        if sign == "in":
            wanted = self.list()
            return lambda row: read(row) in wanted
        bound = self.value()
        compare = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
                   "<": lambda a, b: a < b, "<=": lambda a, b: a <= b}.get(sign)
        if compare is None:
            self.bad(sign)
        return lambda row: is_number(read(row)) == is_number(bound) and read(row) is not None and compare(read(row), bound)


class Milvus(Store):
    most_bytes = 64 << 20
    wants_type = False  # its own client sends text/plain

    def __init__(self, key=""):
        super().__init__(key)
        self.fields = {}  # (database, collection) -> {field: (type, parameters)}

    def authorized(self, headers):
        if self.key and headers.get("authorization") != "Bearer " + self.key:
            raise Refusal(1800, "user hasn't authenticated")

    def failure(self, status, message):
        return {"code": 1800 if message == "user hasn't authenticated" else 1100, "message": message}

    def key_of(self, row):
        return row

    def route(self, method, path, query, body):
        try:
            return self.run(method, path, body)
        except Refusal as refusal:
            return {"code": refusal.code, "message": refusal.message}

    def run(self, method, path, body):
        if method != "POST" or not path.startswith("/v2/vectordb/"):
            raise Refused(404, "404 page not found")
        what, name = path.removeprefix("/v2/vectordb/"), (body or {}).get("collectionName", "")
        at = ((body or {}).get("dbName") or "default", name)
        if what == "collections/list":
            return {"code": 0, "data": [collection for database, collection in self.tables if database == at[0]]}
        if not isinstance(name, str) or not NAME.match(name):
            raise Refusal(1100, "Invalid collection name: " + str(name))
        if what == "collections/has":
            only(body, "dbName", "collectionName")
            return {"code": 0, "data": {"has": at in self.tables}}
        if what == "collections/create":
            return self.create(at, body)
        if what == "collections/drop":
            if self.tables.pop(at, None) is None:
                raise Refusal(100, f"can't find collection[database={at[0]}][collection={name}]")
            return {"code": 0, "data": {}}
        if at not in self.tables:
            raise Refusal(100, f"can't find collection[database={at[0]}][collection={name}]")
        table, fields = self.tables[at], self.fields[at]
        if what == "collections/describe":
            return {"code": 0, "data": {"collectionName": name, "autoId": False, "load": "LoadStateLoaded", "consistencyLevel": table.consistency,
                                        "fields": [{"name": n, "type": kind, "primaryKey": n == "row", "autoId": False,
                                                    "params": [{"key": k, "value": v} for k, v in parameters.items()]} for n, (kind, parameters) in fields.items()],
                                        "indexes": [{"fieldName": "vector", "indexName": "vector", "metricType": table.metric}]}}
        if what == "entities/upsert":
            return self.upsert(table, fields, body)
        if what == "entities/delete":
            only(body, "dbName", "collectionName", "filter")
            keep = self.filter(body, fields, False)
            for key in [k for k, (_, row) in table.rows.items() if keep(row)]:
                self.erase(table, key)
            return {"code": 0, "cost": 0, "data": {}}
        if body.get("consistencyLevel", "Strong") not in ("Strong", "Bounded", "Session", "Eventually"):
            raise Refusal(1100, "unknown consistency level")
        if what == "entities/query":
            only(body, "dbName", "collectionName", "filter", "outputFields", "limit", "offset", "consistencyLevel")
            keep = self.filter(body, fields, True)
            rows = [row for _, row in table.rows.values() if keep(row)]
            if body.get("outputFields") == ["count(*)"]:
                return {"code": 0, "cost": 0, "data": [{"count(*)": len(rows)}]}
            if not body.get("filter") and "limit" not in body:
                raise Refusal(1100, "empty expression should be used with limit")
            rows = rows[:self.limit(body)]
            return {"code": 0, "cost": 0, "data": [self.output(row, body) for row in rows]}
        if what == "entities/search":
            only(body, "dbName", "collectionName", "filter", "outputFields", "limit", "offset", "consistencyLevel", "data", "annsField", "searchParams")
            if body.get("annsField") != "vector":
                raise Refusal(1100, "failed to get field schema by name: fieldName not found")
            data = body.get("data")
            if not isinstance(data, list) or len(data) != 1 or len(numbers(data[0])) != table.width:
                raise Refusal(1100, f"vector dimension mismatch, expected vector size(byte) {table.width * 4}")
            found = table.nearest(data[0], lambda row, keep=self.filter(body, fields, True): keep(row), self.limit(body))
            return {"code": 0, "cost": 0, "data": [{**self.output(table.rows[key][1], body), "distance": score} for score, key in found], "topks": [len(found)]}
        raise Refused(404, "404 page not found")

    def create(self, at, body):
        only(body, "dbName", "collectionName", "schema", "indexParams", "params", "dimension", "metricType", "idType", "primaryFieldName", "vectorFieldName")
        if at in self.tables:
            return {"code": 0, "data": {}}
        schema = only(body.get("schema"), "autoId", "enableDynamicField", "fields")
        fields = {}
        for field in schema["fields"]:
            only(field, "fieldName", "dataType", "elementDataType", "isPrimary", "elementTypeParams")
            kind, parameters = field["dataType"], field.get("elementTypeParams", {})
            wanted = {"Int64": (), "JSON": (), "VarChar": ("max_length",), "Array": ("max_capacity", "max_length"), "FloatVector": ("dim",)}.get(kind)
            if wanted is None or any(not re.fullmatch(r"\d+", str(parameters.get(p, ""))) for p in wanted):
                raise Refusal(1100, f"invalid field {field['fieldName']}: type params")
            if kind == "Array" and (field.get("elementDataType") != "VarChar" or not 0 < int(parameters["max_capacity"]) <= 4096):
                raise Refusal(1100, "the maximum capacity specified for an array should be in (0, 4096]")
            fields[field["fieldName"]] = (kind, {k: str(v) for k, v in parameters.items()})
        indexes = body.get("indexParams") or []
        metric = next((i.get("metricType") for i in indexes if i["fieldName"] == "vector"), None)
        if metric not in ("COSINE", "IP", "L2") or "vector" not in fields or not any(f.get("isPrimary") for f in schema["fields"]):
            raise Refusal(1100, "index parameters or primary key missing")
        self.tables[at], self.fields[at] = Table(int(fields["vector"][1]["dim"])), fields
        self.tables[at].metric, self.tables[at].consistency = metric, body.get("params", {}).get("consistencyLevel", "Bounded")
        return {"code": 0, "data": {}}

    @staticmethod
    def upsert(table, fields, body):
        only(body, "dbName", "collectionName", "data")
        rows = body["data"] if isinstance(body.get("data"), list) else [body.get("data")]
        for row in rows:
            if not isinstance(row, dict) or set(row) != set(fields):
                raise Refusal(1804, f"the fields of a row must be {', '.join(fields)}")
            if not isinstance(row["row"], int) or isinstance(row["row"], bool):
                raise Refusal(1804, "row must be an Int64")
            if len(numbers(row["vector"])) != table.width:
                raise Refusal(1804, f"fail to deal the insert data, error: the dim ({len(row['vector'])}) of field data(vector) is not equal to schema dim ({table.width})")
            tags, limits = row["tags"], fields["tags"][1]
            if not strings(tags) or len(tags) > int(limits["max_capacity"]) or any(len(t.encode()) > int(limits["max_length"]) for t in tags):
                raise Refusal(1100, "the length of array or of its texts exceeds the maximum")
            if not isinstance(row["document"], str) or len(row["document"].encode()) > int(fields["document"][1]["max_length"]) or not isinstance(row["numbers"], dict):
                raise Refusal(1100, "length of varchar field document exceeds max length")
        for row in rows:
            table.put(row["row"], row["vector"], {k: v for k, v in row.items() if k != "vector"})
        return {"code": 0, "cost": 0, "data": {"upsertCount": len(rows), "upsertIds": [row["row"] for row in rows]}}

    @staticmethod
    def filter(body, fields, may_be_empty):
        text = body.get("filter", "")
        if not isinstance(text, str) or not (text.strip() or may_be_empty):
            raise Refusal(1802, "missing required parameters, error: filter")
        return Expression(text, {name: kind for name, (kind, _) in fields.items()}).test if text.strip() else lambda row: True

    @staticmethod
    def limit(body):
        limit = body.get("limit", 100)
        if not isinstance(limit, int) or not 0 < limit <= 16384:
            raise Refusal(65535, f"topk [{limit}] is invalid, it should be in range [1, 16384]")
        return limit

    @staticmethod
    def output(row, body):
        return {name: row[name] for name in {"row", *body.get("outputFields", [])} if name in row}
