"""Weaviate's v1 surface as of 1.26 and later: schema, batches of objects, and of GraphQL what finds objects (Get with nearVector, where and
limit; Aggregate with meta count)."""
import json
import re
import uuid

from base import Refused, Store, Table, is_number, numbers, only, strings

TOKEN = re.compile(r'[\s,]*(?:(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[_A-Za-z]\w*)|(?P<sign>[{}()\[\]:]))')
PROPERTY = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,230}\Z")
SIGNS = {"GreaterThan": lambda a, b: a > b, "GreaterThanEqual": lambda a, b: a >= b, "LessThan": lambda a, b: a < b, "LessThanEqual": lambda a, b: a <= b}
VALUES = {"text": "valueText", "text[]": "valueText", "int": "valueInt", "number": "valueNumber"}


class Word(str):
    """An enum's value, such as And."""


class GraphQL:
    """Parses a query into [(name, arguments, fields)]."""

    def __init__(self, text):
        self.tokens, self.at, place = [], 0, 0
        while text[place:].strip(" \t\n,"):
            match = TOKEN.match(text, place)
            if not match:
                raise Refused(200, f"Syntax Error GraphQL request: Unexpected character {text[place:place + 1]!r}")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            place = match.end()
        self.fields = self.selection()

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self, wanted=None):
        if self.at >= len(self.tokens) or (wanted and self.tokens[self.at][1] != wanted):
            raise Refused(200, f"Syntax Error GraphQL request: Expected {wanted or 'something'}, found {self.peek() or 'EOF'}")
        self.at += 1
        return self.tokens[self.at - 1]

    def selection(self):
        self.next("{")
        out = []
        while self.peek() != "}":
            name, arguments, fields = self.next()[1], {}, []
            if self.peek() == "(":
                self.next()
                while self.peek() != ")":
                    key = self.next()[1]
                    self.next(":")
                    arguments[key] = self.value()
                self.next()
            if self.peek() == "{":
                fields = self.selection()
            out.append((name, arguments, fields))
        self.next("}")
        return out

    def value(self):
        kind, text = self.next()
        if kind == "string":
            return json.loads(text)
        if kind == "number":
            return json.loads(text)
        if kind == "word":
            return {"true": True, "false": False}.get(text, Word(text))
        if text == "[":
            out = []
            while self.peek() != "]":
                out.append(self.value())
            self.next()
            return out
        if text == "{":
            out = {}
            while self.peek() != "}":
                key = self.next()[1]
                self.next(":")
                out[key] = self.value()
            self.next()
            return out
        raise Refused(200, f"Syntax Error GraphQL request: Unexpected {text}")


class Weaviate(Store):
    def __init__(self, key=""):
        super().__init__(key)
        self.schema = {}

    def key_of(self, row):
        return f"616a6172-0000-8000-8000-0000{row:08x}"

    def authorized(self, headers):
        if self.key and headers.get("authorization") != "Bearer " + self.key:
            raise Refused(401, "anonymous access not enabled. Please authenticate through one of the available methods: [API-keys]")

    def failure(self, status, message):
        if status == 200:
            return {"data": None, "errors": [{"locations": [], "message": message, "path": None}]}
        return {"code": status, "message": message} if status == 401 else {"error": [{"message": message}]}

    def route(self, method, path, query, body):
        if path in ("/v1/.well-known/ready", "/v1/.well-known/live"):
            return ""
        if (method, path) == ("GET", "/v1/meta"):
            return {"hostname": "http://[::]:8080", "modules": {}, "version": "1.32.0"}
        if path == "/v1/schema":
            if method == "GET":
                return {"classes": list(self.schema.values())}
            if method == "POST":
                return self.create(body)
        match = re.fullmatch(r"/v1/schema/([^/]+)(/properties)?", path)
        if match:
            name = match.group(1)
            if method == "DELETE" and not match.group(2):
                self.schema.pop(name, None)
                self.tables.pop(name, None)
                return ""
            if name not in self.tables:
                raise Refused(404, "")
            if method == "GET":
                return self.schema[name]
            if method == "POST" and match.group(2):
                self.properties(name).append(self.property(body, self.properties(name)))
                return body
        if path == "/v1/batch/objects":
            if query.get("consistency_level", ["QUORUM"])[0] not in ("ONE", "QUORUM", "ALL"):
                raise Refused(422, "unrecognized consistency level")
            if method == "POST":
                return [self.put(one) for one in only(body, "objects", "fields")["objects"]]
            if method == "DELETE":
                return self.delete(body)
        if (method, path) == ("POST", "/v1/graphql"):
            return self.graphql(only(body, "query", "variables", "operationName")["query"])
        raise Refused(404, f"path {path} was not found")

    def properties(self, name):
        return self.schema[name]["properties"]

    @staticmethod
    def property(what, there):
        only(what, "name", "dataType", "description", "tokenization", "indexFilterable", "indexSearchable", "indexRangeFilters", "moduleConfig")
        if not PROPERTY.match(what.get("name", "")):
            raise Refused(422, f"'{what.get('name')}' is not a valid property name. Property names in Weaviate are restricted to valid GraphQL names")
        if any(one["name"].lower() == what["name"].lower() for one in there):
            raise Refused(422, f"class: conflict for property {what['name']!r}: already in use or provided multiple times")
        kind = what.get("dataType")
        if not strings(kind) or len(kind) != 1 or kind[0] not in VALUES:
            raise Refused(422, "unknown data type")
        if "tokenization" in what and not kind[0].startswith("text"):
            raise Refused(422, "Tokenization is not allowed for data type")
        return what

    def create(self, body):
        only(body, "class", "description", "vectorizer", "vectorIndexType", "vectorIndexConfig", "properties", "invertedIndexConfig", "replicationConfig")
        name = body.get("class", "")
        if not re.fullmatch(r"[A-Z][_0-9A-Za-z]{0,254}", name):
            raise Refused(422, f"'{name}' is not a valid class name")
        if name in self.schema:
            raise Refused(422, f"class name {name} already exists")
        there = []
        for one in body.get("properties") or []:
            there.append(self.property(one, there))
        self.schema[name] = {**body, "properties": there, "vectorIndexConfig": {"distance": "cosine", "ef": -1, **body.get("vectorIndexConfig", {})}}
        self.tables[name] = Table()
        return self.schema[name]

    def put(self, one):
        """One object of a batch; what is wrong with it stands in its own result."""
        try:
            only(one, "class", "id", "properties", "vector", "tenant")
            name = one.get("class")
            if name not in self.tables:
                raise Refused(422, f"class {name!r} not present in schema")
            table = self.tables[name]
            try:
                key = str(uuid.UUID(one.get("id")))
            except (ValueError, TypeError, AttributeError):
                raise Refused(422, f"invalid UUID: {one.get('id')}")
            vector = numbers(one.get("vector"))
            if table.width not in (None, len(vector)):
                raise Refused(422, f"new node has a vector with length {len(vector)}. Existing nodes have vectors with length {table.width}")
            kinds = {p["name"]: p["dataType"][0] for p in self.properties(name)}
            for field, value in (one.get("properties") or {}).items():
                fits = {"text": isinstance(value, str), "text[]": strings(value), "int": isinstance(value, int), "number": is_number(value)}
                if not fits.get(kinds.get(field)):
                    raise Refused(422, f"invalid {kinds.get(field, 'unknown')} property {field!r} on class {name!r}")  # AUTOSCHEMA_ENABLED=false
            table.width = len(vector)
            table.put(key, vector, one.get("properties") or {})
            return {**one, "result": {"status": "SUCCESS"}, "deprecations": None}
        except Refused as refused:
            return {**(one if isinstance(one, dict) else {}), "result": {"status": "FAILED", "errors": {"error": [{"message": refused.message}]}}}

    def delete(self, body):
        only(body, "match", "output", "dryRun")
        match = only(body["match"], "class", "where")
        if match["class"] not in self.tables:
            raise Refused(422, f"class {match['class']} not found")
        table, where = self.tables[match["class"]], only(match["where"], "path", "operator", "valueTextArray", "valueText")
        if where["path"] != ["id"] or where["operator"] != "ContainsAny" or not strings(where.get("valueTextArray")):
            raise Refused(422, "the emulation deletes by ids only")
        keys = [k for k in where["valueTextArray"] if k in table.rows][:10_000]
        for key in keys:
            self.erase(table, key)
        return {"match": match, "output": body.get("output", "minimal"), "results": {"failed": 0, "limit": 10_000, "matches": len(keys), "objects": None, "successful": len(keys)}}

    def graphql(self, text):
        data = {}
        for root, _, classes in GraphQL(text).fields:
            if root not in ("Get", "Aggregate"):
                raise Refused(200, f'Cannot query field "{root}" on type "WeaviateObj".')
            for name, arguments, fields in classes:
                if name not in self.tables:
                    raise Refused(200, f'Cannot query field "{name}" on type "{root}ObjectsObj".')
                data.setdefault(root, {})[name] = self.get(name, arguments, fields) if root == "Get" else [{"meta": {"count": len(self.tables[name].rows)}}]
        return {"data": data}

    def get(self, name, arguments, fields):
        for key in arguments:
            if key not in ("nearVector", "where", "limit"):
                raise Refused(200, f'Unknown argument "{key}" on field "{name}" of type "GetObjectsObj".')
        table, kinds = self.tables[name], {p["name"]: p["dataType"][0] for p in self.properties(name)}
        keep = self.where(arguments["where"], name, kinds) if "where" in arguments else lambda f: True
        limit = arguments.get("limit", 100)
        if not isinstance(limit, int) or not 0 < limit <= 10_000:
            raise Refused(200, "query maximum results exceeded")
        if "nearVector" in arguments:
            vector = numbers(only(arguments["nearVector"], "vector", "distance", "certainty")["vector"])
            if table.width not in (None, len(vector)):
                raise Refused(200, f"vector search: vector lengths don't match: {table.width} vs {len(vector)}")
            found = table.nearest(vector, keep, limit)
        else:
            found = [(None, key) for key in sorted(table.rows) if keep(table.rows[key][1])][:limit]
        out = []
        for score, key in found:
            one = {}
            for field, _, inner in fields:
                if field == "_additional":
                    one[field] = {n: {"id": key, "distance": None if score is None else 1 - score}[n] for n, _, _ in inner}
                elif field in kinds:
                    one[field] = table.rows[key][1].get(field)
                else:
                    raise Refused(200, f'Cannot query field "{field}" on type "{name}".')
            out.append(one)
        return out

    def where(self, what, name, kinds):
        operator = what.get("operator")
        if operator in ("And", "Or"):
            only(what, "operator", "operands")
            parts = [self.where(one, name, kinds) for one in what.get("operands") or []]
            if not parts:
                raise Refused(200, "invalid where filter: operands must be set")
            return (lambda f: all(p(f) for p in parts)) if operator == "And" else (lambda f: any(p(f) for p in parts))
        path = what.get("path")
        if not isinstance(path, list) or len(path) != 1 or path[0] not in kinds:
            raise Refused(200, f"invalid where filter: no such prop with name {path} found in class '{name}' in the schema")
        field, kind = path[0], kinds[path[0]]
        only(what, "operator", "path", VALUES[kind])
        value = what.get(VALUES[kind])
        if operator == "ContainsAny" and kind == "text[]" and strings(value) and value:
            wanted = {one.strip() for one in value}  # the whole field is one token, trimmed
            return lambda f: any(x.strip() in wanted for x in f.get(field) or [])
        if operator in ("Equal", "NotEqual") and isinstance(value, str) and kind == "text[]":
            has = lambda f: any(x.strip() == value.strip() for x in f.get(field) or [])  # noqa: E731
            return has if operator == "Equal" else lambda f: not has(f)
        if kind == "int" and not (isinstance(value, int) and -2**31 <= value < 2**31):
            raise Refused(200, f'Expected type "Int", found {value}.')
        if operator in SIGNS and is_number(value) and kind in ("int", "number"):
            return lambda f: f.get(field) is not None and SIGNS[operator](f[field], value)
        raise Refused(200, f"invalid where filter: data type filter cannot use {VALUES[kind]!r} on operator {operator!r} with {value!r}")
