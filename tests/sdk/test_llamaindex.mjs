// LlamaIndex's LLM and embeddings of OpenAI, in JavaScript, against the running server.
import assert from "node:assert/strict";
import { OpenAI, OpenAIEmbedding } from "@llamaindex/openai";
import { FunctionTool } from "@llamaindex/core/tools";
import { context, runAll } from "./common.mjs";

const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello there" }];
const pixel = "data:image/png;base64," + Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1").toString("base64");
const parallel = [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]];
const schema = { type: "object", additionalProperties: false, required: ["name", "age"],
                 properties: { name: { type: "string" }, age: { type: "integer" } } };
const make_tool = (name, argument) => FunctionTool.from(() => "sunny", { name, description: "Tells it", parameters: {
  type: "object", properties: { [argument]: { type: "string" } }, required: [argument] } });
const tools = [make_tool("get_weather", "city"), make_tool("get_time", "zone")];

const make = (model, apiKey = context.key, more = {}) =>
  new OpenAI({ model, apiKey, baseURL: context.base, maxRetries: 0, timeout: 30_000, ...more });
const drain = async (stream) => { const all = []; for await (const part of await stream) all.push(part); return all; };
const argumentsOf = (call) => typeof call.input === "string" ? JSON.parse(call.input) : call.input;
async function fails(name, status, work) {  // its own copy of OpenAI's SDK raises them
  try { await work(); } catch (error) {
    assert.equal(error.constructor.name, name, String(error.stack));
    assert.equal(error.status, status);
    return error;
  }
  assert.fail("no error");
}

const once = {
  "wrong key": () => fails("AuthenticationError", 401, () => make("openai", "sk-wrong").chat({ messages })),
  "unknown model": () => fails("NotFoundError", 404, () => make("no-such-model").chat({ messages })),
  "embeddings": async () => {
    for (const model of ["openai", "gemini"]) {
      const client = new OpenAIEmbedding({ model, apiKey: context.key, baseURL: context.base, maxRetries: 0 });
      const two = await client.getTextEmbeddings(["a", "b"]), one = await client.getTextEmbedding("a");
      assert.equal(two.length, 2);
      assert.ok(one.length > 0 && one.every((value, at) => Math.abs(value - two[0][at]) < 1e-6));
    }
  },
};

const each = {
  "whole": async (model) => {
    const answer = await make(model).chat({ messages });
    assert.match(answer.message.content, /Hello there/);
    assert.ok(answer.raw.usage.prompt_tokens > 0 && answer.raw.usage.completion_tokens > 0);
    assert.match((await make(model).complete({ prompt: "Hello there" })).text, /Hello there/);
  },
  "stream": async (model) => {
    const parts = await drain(make(model).chat({ messages, stream: true }));
    assert.ok(parts.length > 2);
    assert.equal(parts.map((part) => part.delta).join(""), (await make(model).chat({ messages })).message.content);
  },
  "tools": async (model) => {
    const asked = [{ role: "user", content: "Please use the tool" }];
    const first = (await make(model).chat({ messages: asked, tools: tools.slice(0, 1) })).message;
    const part = (await drain(make(model).chat({ messages: asked, tools: tools.slice(0, 1), stream: true })))
      .filter((chunk) => chunk.options?.toolCall).at(-1);
    for (const call of [first.options.toolCall[0], part.options.toolCall[0]]) {
      assert.equal(call.name, "get_weather");
      assert.ok("city" in argumentsOf(call));
      const result = { role: "user", content: "sunny", options: { toolResult: { id: call.id, result: "sunny", isError: false } } };
      const second = await make(model).chat({ tools: tools.slice(0, 1), messages: [...asked,
        { role: "assistant", content: "", options: { toolCall: [call] } }, result] });
      assert.ok(second.message.content && !second.message.options?.toolCall);
    }
  },
  "parallel tools": async (model) => {
    const { message } = await make(model + "-parallel").chat({ messages, tools });
    assert.deepEqual(message.options.toolCall.map((call) => [call.name, argumentsOf(call)]), parallel);
    assert.equal(new Set(message.options.toolCall.map((call) => call.id)).size, 2);
  },
  "structured": async (model) => {
    const response_format = { type: "json_schema", json_schema: { name: "person", strict: true, schema } };
    const answer = await make(model).chat({ messages, responseFormat: response_format });
    assert.deepEqual(Object.keys(JSON.parse(answer.message.content)).sort(), ["age", "name"]);
  },
  "image": async (model) => {
    const content = [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: pixel } }];
    const said = (await make(model + "-echo").chat({ messages: [{ role: "user", content }] })).message.content;
    assert.ok(said.includes(pixel.split(",")[1]) && said.includes("image/png"), said);
  },
  "cut stream": async (model) => {
    let seen = "";
    await assert.rejects(async () => {
      for await (const part of await make(model + "-cut").chat({ messages, stream: true })) seen += part.delta;
    }, /closed the connection/);
    assert.ok(seen);
  },
  "upstream errors": async (model) => {
    for (const [fault, status, name] of [["429", 429, "RateLimitError"], ["400", 400, "BadRequestError"],
                                         ["500", 502, "InternalServerError"]]) {
      const error = await fails(name, status, () => make(`${model}-${fault}`).chat({ messages }));
      if (fault !== "429") assert.match(error.message, /simulated fault/);  // a second 429 may be Ajar's own: it waits
    }
  },
};

await runAll(once, each);
