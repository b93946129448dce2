// Google's JavaScript SDK against the running server.
import assert from "node:assert/strict";
import { ApiError, GoogleGenAI } from "@google/genai";
import { closed, context, newKey, raises, runAll, waitForAbort } from "./common.mjs";

const hello = "Hello there";
const declaration = { name: "get_weather", description: "The weather of a city",
  parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
const tools = [{ functionDeclarations: [declaration] }];
const pixel = Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1").toString("base64");
const parallel = [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]];

const make = (apiKey = context.key) =>
  new GoogleGenAI({ apiKey, vertexai: false, httpOptions: { baseUrl: context.root, timeout: 30_000 } });
const client = make();
const ask = (model, contents = hello, config = {}, c = client) => c.models.generateContent({ model, contents, config });
const streamOf = (model, contents = hello, config = {}, c = client) =>
  c.models.generateContentStream({ model, contents, config });
const drain = async (stream) => { const all = []; for await (const chunk of await stream) all.push(chunk); return all; };
const contentsOf = (chunks) => chunks.map((chunk) => chunk.candidates[0].content);
async function fails(status, work) {
  const error = await raises(ApiError, work);
  if (status) assert.equal(error.status, status, error.message);
  return error;
}

const once = {
  "count tokens": async () => {
    const count = async (contents) => (await client.models.countTokens({ model: "gemini", contents })).totalTokens;
    const few = await count(hello), many = await count(hello + " and many more words");
    assert.ok(0 < few && few < many, `${few} ${many}`);
  },
  "wrong key": () => fails(401, () => ask("openai", hello, {}, make("sk-wrong"))),
  "unknown model": () => fails(404, () => ask("no-such-model")),
  "embeddings": async () => {
    for (const model of ["openai", "gemini"]) {
      const answer = await client.models.embedContent({ model, contents: ["one", "two"] });
      assert.equal(answer.embeddings.length, 2);
    }
  },
};

const each = {
  "whole": async (model) => {
    const answer = await ask(model);
    assert.match(answer.text, /Hello there/);
    assert.equal(answer.candidates[0].finishReason, "STOP");
    assert.ok(answer.usageMetadata.totalTokenCount > 0);
  },
  "stream": async (model) => {
    const chunks = await drain(streamOf(model));
    assert.equal(chunks.map((chunk) => chunk.text ?? "").join(""), (await ask(model)).text);
    assert.equal(chunks.at(-1).candidates[0].finishReason, "STOP");
  },
  "tools": async (model) => {
    const asked = [{ role: "user", parts: [{ text: "Please use the tool" }] }];
    for (const chunks of [[await ask(model, asked, { tools })], await drain(streamOf(model, asked, { tools }))]) {
      const call = chunks.flatMap((chunk) => chunk.functionCalls ?? [])[0];
      assert.ok("city" in call.args);
      const result = { functionResponse: { id: call.id, name: call.name, response: { result: "sunny" } } };
      const second = await ask(model, [...asked, ...contentsOf(chunks), { role: "user", parts: [result] }], { tools });
      assert.ok(second.text);
    }
  },
  "parallel tools": async (model) => {
    for (const chunks of [[await ask(model + "-parallel", hello, { tools })],
                          await drain(streamOf(model + "-parallel", hello, { tools }))]) {
      assert.deepEqual(chunks.flatMap((chunk) => chunk.functionCalls ?? []).map((c) => [c.name, c.args]), parallel);
    }
  },
  "thinking": async (model) => {
    const config = { thinkingConfig: { includeThoughts: true, thinkingBudget: 2000 } };
    for (const chunks of [[await ask(model + "-thinking", hello, config)],
                          await drain(streamOf(model + "-thinking", hello, config))]) {
      const parts = contentsOf(chunks).flatMap((content) => content.parts ?? []);
      assert.equal(parts.filter((part) => part.thought).map((part) => part.text).join(""), "Let me think.");
      const again = [{ role: "user", parts: [{ text: "Hi" }] }, ...contentsOf(chunks), { role: "user", parts: [{ text: "And?" }] }];
      assert.equal((await ask(model + "-echo", again)).text.includes("c2lnbmVk"), model !== "openai");
    }
  },
  "image": async (model) => {
    const said = (await ask(model + "-echo", [{ inlineData: { mimeType: "image/png", data: pixel } }])).text;
    assert.ok(said.includes(pixel), said);
  },
  "cut": (model) => fails(0, () => drain(streamOf(model + "-cut"))),
  "error mid stream": async (model) => {
    const error = await fails(0, () => drain(streamOf(model + "-error-mid")));
    assert.match(error.message, /simulated/);
  },
  "abort": async (model) => {
    const before = await closed();
    const key = await newKey("genai");
    const stop = new AbortController();
    const stream = await streamOf(model + "-endless", hello, { abortSignal: stop.signal }, make(key.secret));
    let count = 0;
    for await (const _ of stream) if (++count === 3) break;
    stop.abort();
    await waitForAbort(before, key.name);
  },
  "bad request": (model) => fails(400, () => ask(model + "-400")),
  "server error": (model) => fails(502, () => ask(model + "-500")),
  "rate limit": (model) => fails(429, () => ask(model + "-429")),
};

await runAll(once, each);
