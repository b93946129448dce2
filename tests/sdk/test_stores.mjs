// The official clients of vector stores against our emulations of their servers (tests/stores): what our adapters are tested against
// must be what these clients take for the real thing. Beside that they look at what our own adapters' tables, classes and filters are.
import assert from "node:assert/strict";
import { Pinecone } from "@pinecone-database/pinecone";
import { QdrantClient } from "@qdrant/js-client-rest";
import { HttpClient } from "@zilliz/milvus2-sdk-node";
import weaviate from "weaviate-ts-client";
import { context, runAll } from "./common.mjs";

const vectors = [[1, 0, 0, 0], [0, 1, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0]];
const tags = [["@*", "year=n:2024"], ["@=user:ada"], ["@*", "@=user:ada"], ["@-"]];
const wide = (vector) => [...vector, 0, 0, 0, 0];  // of Pinecone's index
const uuid = (row) => "616a6172-0000-8000-8000-0000" + row.toString(16).padStart(8, "0");
const near = (given, wanted) => assert.ok(Math.abs(given - wanted) < 1e-5, `${given} is not ${wanted}`);
const { qdrant, weaviate: weave, milvus, pinecone } = context.stores;

await runAll({
  "qdrant: collections, points, filters": async () => {
    const client = new QdrantClient({ url: qdrant.url, apiKey: qdrant.key });
    assert.equal((await client.collectionExists("sdk")).exists, false);
    await client.createCollection("sdk", { vectors: { size: 4, distance: "Cosine" } });
    await assert.rejects(client.createCollection("sdk", { vectors: { size: 4, distance: "Cosine" } }), /already exists|Conflict/);
    const about = await client.getCollection("sdk");
    assert.deepEqual(about.config.params.vectors, { size: 4, distance: "Cosine" });
    const points = vectors.map((vector, i) => ({ id: i + 1, vector, payload: { tags: tags[i], numbers: { n_year: 2020 + i } } }));
    assert.equal((await client.upsert("sdk", { wait: true, points })).status, "completed");
    await assert.rejects(client.upsert("sdk", { wait: true, points: [{ id: "row-1", vector: vectors[0] }] }), (e) => e.status === 400);
    await assert.rejects(client.upsert("sdk", { wait: true, points: [{ id: 9, vector: [1, 2, 3] }] }), (e) => e.status === 400);
    const readable = { must: [{ key: "tags", match: { any: ["@*", "@=user:ada"] } }] };
    // Without an index on the payload a filter is refused, as in strict mode.
    await assert.rejects(client.query("sdk", { query: vectors[0], filter: readable, limit: 3 }), (e) => e.status === 400);
    await client.createPayloadIndex("sdk", { wait: true, field_name: "tags", field_schema: "keyword" });
    await client.createPayloadIndex("sdk", { wait: true, field_name: "numbers.n_year", field_schema: "float" });
    const found = await client.query("sdk", { query: vectors[0], filter: readable, limit: 3, with_payload: true });
    assert.deepEqual(found.points.map((point) => point.id), [1, 3, 2]);
    near(found.points[1].score, 0.6);
    assert.deepEqual(found.points[0].payload.tags, tags[0]);
    const filter = { must_not: [{ key: "tags", match: { any: ["@*"] } }], must: [{ key: "numbers.n_year", range: { gte: 2021, lt: 2023.5 } }] };
    assert.equal((await client.count("sdk", { filter, exact: true })).count, 2);
    const page = await client.scroll("sdk", { offset: 2, limit: 2, with_payload: false });
    assert.deepEqual([page.points.map((point) => point.id), page.next_page_offset], [[2, 3], 4]);
    await client.delete("sdk", { wait: true, points: [1, 77] });
    assert.equal((await client.count("sdk", { exact: true })).count, 3);
    await client.deleteCollection("sdk");
    await assert.rejects(client.getCollection("sdk"), (e) => e.status === 404);
    await assert.rejects(new QdrantClient({ url: qdrant.url, apiKey: "wrong", checkCompatibility: false }).getCollections(), (e) => e.status === 401);
  },

  "pinecone: vectors, filters, namespaces": async () => {
    const index = new Pinecone({ apiKey: pinecone.key }).index({ host: pinecone.url });
    const space = index.namespace("sdk");
    const records = vectors.map((vector, i) => ({ id: String(i + 1), values: wide(vector), metadata: { tags: tags[i], n_year: 2020 + i } }));
    await space.upsert({ records });
    const stats = await index.describeIndexStats();
    assert.deepEqual([stats.dimension, stats.namespaces.sdk.recordCount], [8, 4]);
    const filter = { $and: [{ tags: { $in: ["@*", "@=user:ada"] } }, { n_year: { $gte: 2021 } }, { tags: { $nin: ["year=n:2024"] } }] };
    const found = await space.query({ vector: wide(vectors[0]), topK: 5, filter, includeMetadata: true });
    assert.deepEqual(found.matches.map((match) => match.id), ["3", "2"]);
    near(found.matches[0].score, 0.6);
    assert.deepEqual(found.matches[0].metadata.tags, tags[2]);
    assert.deepEqual(Object.keys((await space.fetch({ ids: ["1", "9"] })).records), ["1"]);
    await assert.rejects(space.query({ vector: [1, 2], topK: 1 }), /dimension/i);
    await space.deleteMany({ ids: ["1"] });
    assert.equal((await space.query({ vector: wide(vectors[0]), topK: 10 })).matches.length, 3);
    await space.deleteAll();
    assert.equal((await space.query({ vector: wide(vectors[0]), topK: 10 })).matches.length, 0);
    await assert.rejects(new Pinecone({ apiKey: "wrong" }).index({ host: pinecone.url }).describeIndexStats(), /key/i);
  },

  "weaviate: schema, batches, GraphQL": async () => {
    const url = new URL(weave.url);
    const open = (key) => weaviate.client({ scheme: "http", host: url.host, apiKey: new weaviate.ApiKey(key) });
    const client = open(weave.key);
    const one = { class: "Sdk", vectorizer: "none", vectorIndexConfig: { distance: "cosine" },
                  properties: [{ name: "row", dataType: ["number"] }, { name: "tags", dataType: ["text[]"], tokenization: "field" }] };
    await client.schema.classCreator().withClass(one).do();
    await assert.rejects(client.schema.classCreator().withClass(one).do(), /already exists/);
    await client.schema.propertyCreator().withClassName("Sdk").withProperty({ name: "n_year", dataType: ["number"] }).do();
    let batch = client.batch.objectsBatcher();
    vectors.forEach((vector, i) => { batch = batch.withObject({ class: "Sdk", id: uuid(i + 1), vector, properties: { row: i + 1, tags: tags[i], n_year: 2020 + i } }); });
    assert.deepEqual((await batch.do()).map((object) => object.result.errors), [undefined, undefined, undefined, undefined]);
    const bad = await client.batch.objectsBatcher().withObject({ class: "Sdk", id: uuid(9), vector: [1, 2], properties: { row: 9, tags: [], n_year: 1 } }).do();
    assert.match(bad[0].result.errors.error[0].message, /vector with length/);
    const where = { operator: "And", operands: [{ path: ["tags"], operator: "ContainsAny", valueTextArray: ["@*", "@=user:ada"] },
                                                { path: ["tags"], operator: "NotEqual", valueText: "year=n:2024" },
                                                { path: ["n_year"], operator: "GreaterThanEqual", valueNumber: 2021 }] };
    const got = await client.graphql.get().withClassName("Sdk").withNearVector({ vector: vectors[0] }).withWhere(where).withLimit(5)
      .withFields("row _additional { id distance }").do();
    assert.deepEqual(got.data.Get.Sdk.map((object) => object.row), [3, 2]);
    near(got.data.Get.Sdk[0]._additional.distance, 0.4);
    assert.equal(got.data.Get.Sdk[0]._additional.id, uuid(3));
    const gone = await client.batch.objectsBatchDeleter().withClassName("Sdk").withWhere({ path: ["id"], operator: "ContainsAny", valueTextArray: [uuid(1)] }).do();
    assert.deepEqual([gone.results.matches, gone.results.failed], [1, 0]);
    const count = await client.graphql.aggregate().withClassName("Sdk").withFields("meta { count }").do();
    assert.equal(count.data.Aggregate.Sdk[0].meta.count, 3);
    await client.schema.classDeleter().withClassName("Sdk").do();
    await assert.rejects(client.schema.classGetter().withClassName("Sdk").do(), /404/);
    await assert.rejects(open("wrong").schema.getter().do(), /401/);
  },

  "milvus: collections, rows, expressions": async () => {
    const client = new HttpClient({ endpoint: milvus.url, token: milvus.key });
    const collectionName = "sdk";
    const schema = { autoId: false, enableDynamicField: false, fields: [
      { fieldName: "row", dataType: "Int64", isPrimary: true },
      { fieldName: "document", dataType: "VarChar", elementTypeParams: { max_length: 100 } },
      { fieldName: "tags", dataType: "Array", elementDataType: "VarChar", elementTypeParams: { max_capacity: 100, max_length: 100 } },
      { fieldName: "numbers", dataType: "JSON" }, { fieldName: "vector", dataType: "FloatVector", elementTypeParams: { dim: 4 } }] };
    const made = await client.createCollection({ collectionName, schema, indexParams: [{ fieldName: "vector", indexName: "vector", metricType: "COSINE", params: { index_type: "AUTOINDEX" } }] });
    assert.equal(made.code, 0, made.message);
    assert.equal((await client.hasCollection({ collectionName })).data.has, true);
    assert.equal((await client.describeCollection({ collectionName })).data.indexes[0].metricType, "COSINE");
    const data = vectors.map((vector, i) => ({ row: i + 1, vector, tags: tags[i], numbers: { n_year: 2020 + i }, document: "d" }));
    assert.equal((await client.upsert({ collectionName, data })).data.upsertCount, 4);
    assert.notEqual((await client.upsert({ collectionName, data: [{ ...data[0], vector: [1, 2] }] })).code, 0);
    const filter = '(array_contains_any(tags, ["@*", "@=user:ada"])) and (not array_contains_any(tags, ["year=n:2024"])) and (numbers["n_year"] >= 2021)';
    const found = await client.search({ collectionName, data: [vectors[0]], annsField: "vector", limit: 5, filter, outputFields: ["row"] });
    assert.equal(found.code, 0, found.message);
    assert.deepEqual(found.data.map((one) => one.row), [3, 2]);
    near(found.data[0].distance, 0.6);
    assert.notEqual((await client.search({ collectionName, data: [vectors[0]], annsField: "vector", limit: 5, filter: "tags ~ 3" })).code, 0);
    assert.equal((await client.delete({ collectionName, filter: "row in [1]" })).code, 0);
    assert.deepEqual((await client.query({ collectionName, filter: "row > 0", outputFields: ["row"], limit: 10 })).data.map((one) => one.row).sort(), [2, 3, 4]);
    assert.equal((await client.dropCollection({ collectionName })).code, 0);
    assert.equal((await client.hasCollection({ collectionName })).data.has, false);
    assert.equal((await new HttpClient({ endpoint: milvus.url, token: "wrong" }).hasCollection({ collectionName })).code, 1800);
  },
}, {});
