// Ollama's JavaScript client against the running server.
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import { closed, context, newKey, runAll, waitForAbort } from "./common.mjs";

const hello = [{ role: "user", content: "Hello there" }];
const tool = { type: "function", function: { name: "get_weather", description: "The weather of a city", parameters: {
  type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const schema = { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } }, required: ["name", "age"] };
const pixel = Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1").toString("base64");

const make = (key = context.key) => new Ollama({ host: context.root, headers: { Authorization: "Bearer " + key } });
const client = make();
const drain = async (stream) => { const all = []; for await (const part of await stream) all.push(part); return all; };

async function fails(status, work) {  // the class of its errors is not exported
  try { await work(); } catch (error) {
    assert.equal(error.name, "ResponseError", String(error));
    assert.equal(error.status_code, status, String(error));
    return error;
  }
  assert.fail("no error");
}

const once = {
  "wrong key": () => fails(401, () => make("sk-wrong").chat({ model: "openai", messages: hello })),
  "unknown model": () => fails(404, () => client.chat({ model: "no-such-model", messages: hello })),
  "refused": () => fails(400, () => client.generate({ model: "openai", prompt: "x", raw: true })),
  "models": async () => {
    const names = (await client.list()).models.map((model) => model.model);
    for (const dialect of context.dialects) assert.ok(names.includes(dialect), String(names));
    assert.ok((await client.show({ model: "openai" })).capabilities.includes("tools"));
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
  },
  "embeddings": async () => {
    const answer = await client.embed({ model: "openai", input: ["a", "b"] });
    assert.equal(answer.embeddings.length, 2);
    assert.deepEqual((await client.embeddings({ model: "openai", prompt: "a" })).embedding, answer.embeddings[0]);
  },
};

const each = {
  "whole": async (model) => {
    const answer = await client.chat({ model, messages: hello });
    assert.match(answer.message.content, /Hello there/);
    assert.equal(answer.done_reason, "stop");
    assert.ok(answer.prompt_eval_count > 0 && answer.eval_count > 0);
  },
  "stream": async (model) => {
    const parts = await drain(client.chat({ model, messages: hello, stream: true }));
    assert.ok(parts.at(-1).done && parts.slice(0, -1).every((part) => !part.done));
    assert.match(parts.map((part) => part.message.content).join(""), /Hello there/);
  },
  "generate": async (model) => {
    const answer = await client.generate({ model, prompt: "Hello there", options: { num_predict: 3 } });
    assert.equal(answer.done_reason, "length");
    const parts = await drain(client.generate({ model, prompt: "Hello there", stream: true }));
    assert.match(parts.map((part) => part.response).join(""), /Hello there/);
  },
  "tools": async (model) => {
    const messages = [{ role: "user", content: "Please use the tool" }];
    const first = await client.chat({ model, messages, tools: [tool] });
    assert.equal(first.message.tool_calls[0].function.name, "get_weather");
    assert.ok("city" in first.message.tool_calls[0].function.arguments);
    const second = await client.chat({ model, tools: [tool], messages: [...messages, first.message,
      { role: "tool", content: "sunny", tool_name: "get_weather" }] });
    assert.ok(second.message.content && !second.message.tool_calls);
  },
  "parallel tools": async (model) => {
    const more = { model: model + "-parallel", messages: hello, tools: [tool] };
    for (const parts of [[await client.chat(more)], await drain(client.chat({ ...more, stream: true }))]) {
      const calls = parts.flatMap((part) => part.message.tool_calls ?? []).map((call) => [call.function.name, call.function.arguments]);
      assert.deepEqual(calls, [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]]);
    }
  },
  "structured": async (model) => {
    const answer = await client.chat({ model, messages: hello, format: schema });
    assert.deepEqual(Object.keys(JSON.parse(answer.message.content)).sort(), ["age", "name"]);
  },
  "image": async (model) => {
    const answer = await client.chat({ model, messages: [{ role: "user", content: "What is it?", images: [pixel] }] });
    assert.match(answer.message.content, /What is it/);
  },
  "cut stream": async (model) => {
    const seen = [];
    await assert.rejects(async () => {
      for await (const part of await client.chat({ model: model + "-cut", messages: hello, stream: true })) seen.push(part);
    });
    assert.ok(seen.length > 0 && seen.every((part) => !part.done));
  },
  "upstream errors": async (model) => {
    for (const [fault, status] of [["429", 429], ["400", 400], ["500", 502]]) {
      await fails(status, () => client.chat({ model: `${model}-${fault}`, messages: hello }));
    }
  },
  "abort": async (model) => {
    const key = await newKey("ollama"), before = await closed();
    const stream = await make(key.secret).chat({ model: model + "-endless", messages: hello, stream: true });
    let count = 0;
    await assert.rejects(async () => {
      for await (const _ of stream) if (++count === 3) stream.abort();
    });
    await waitForAbort(before, key.name);
  },
};

await runAll(once, each);
