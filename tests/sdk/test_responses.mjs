// The official JavaScript SDK's Responses and Completions against the running server. As test_openai.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const context = JSON.parse(readFileSync(0, "utf8"));
const tool = { type: "function", name: "get_weather", strict: false, parameters: {
  type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
const schema = { type: "object", additionalProperties: false, required: ["name", "age"],
                 properties: { name: { type: "string" }, age: { type: "integer" } } };
const make = (more = {}) =>
  new OpenAI({ baseURL: context.base, apiKey: context.key, maxRetries: 0, timeout: 30_000, ...more });
const client = make();
const ask = (body) => client.responses.create({ input: "Hello there", ...body });
const drain = async (stream) => { for await (const _ of stream); };
async function raises(kind, work) {
  try { await work(); } catch (error) {
    assert.ok(error instanceof kind, `expected ${kind.name}, got ${error.constructor.name}: ${error.message}`);
    return error;
  }
  assert.fail(`${kind.name} was not raised`);
}

const once = {
  "wrong key": () => raises(OpenAI.AuthenticationError,
                            () => make({ apiKey: "sk-wrong" }).responses.create({ model: "openai", input: "x" })),
  "wrong type": async () =>
    assert.equal((await raises(OpenAI.BadRequestError, () => ask({ model: "openai", temperature: "hot" }))).param, "temperature"),
  "built-in tool": async () => {
    const error = await raises(OpenAI.BadRequestError, () => ask({ model: "gemini", tools: [{ type: "web_search" }] }));
    assert.equal(error.param, "tools[0]");
  },
  "completion logprobs": async () => {
    const answer = await client.completions.create({ model: "openai", prompt: "Say it", max_tokens: 2, echo: true, logprobs: 1 });
    const told = answer.choices[0].logprobs;
    assert.equal(told.tokens.join(""), answer.choices[0].text);
    assert.equal(told.token_logprobs[0], null);
  },
};

const each = {
  "whole": async (model) => {
    const answer = await ask({ model });
    assert.match(answer.output_text, /Hello there/);
    assert.equal(answer.status, "completed");
    assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
  },
  "stream": async (model) => {
    let text = "", number = 0, final = null;
    for await (const event of await ask({ model, stream: true })) {
      assert.equal(event.sequence_number, number++);
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") final = event.response;
    }
    assert.equal(final.output[0].content[0].text, text);
  },
  "stream helper": async (model) => {
    const final = await client.responses.stream({ model, input: "Hello there" }).finalResponse();
    assert.match(final.output_text, /Hello there/);
  },
  "structured": async (model) => {
    const answer = await client.responses.parse({ model, input: "A person", text: {
      format: { type: "json_schema", name: "person", strict: true, schema } } });
    const value = answer.output_parsed ?? JSON.parse(answer.output_text);
    assert.equal(typeof value.age, "number");
  },
  "tools": async (model) => {
    const first = await ask({ model, input: "Please use the tool", tools: [tool] });
    const call = first.output.at(-1);
    assert.ok("city" in JSON.parse(call.arguments));
    const second = await ask({ model, tools: [tool], previous_response_id: first.id,
                               input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }] });
    assert.ok(second.output_text);
  },
  "kept": async (model) => {
    const made = await ask({ model });
    assert.equal((await client.responses.retrieve(made.id)).output_text, made.output_text);
    const items = [];
    for await (const item of client.responses.inputItems.list(made.id)) items.push(item);
    assert.equal(items[0].content[0].text, "Hello there");
    await client.responses.delete(made.id);
    await raises(OpenAI.NotFoundError, () => client.responses.retrieve(made.id));
  },
  "completion": async (model) => {
    const answer = await client.completions.create({ model, prompt: "Say it", max_tokens: 50, echo: true });
    let text = "";
    for await (const chunk of await client.completions.create({ model, prompt: "Say it", max_tokens: 50, echo: true, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }
    assert.equal(text, answer.choices[0].text);
    assert.match(text, /^Say it/);
  },
};
const faults = {
  "cut": (model) => raises(OpenAI.APIError, async () => drain(await ask({ model: model + "-cut", stream: true }))),
  "error mid stream": (model) => raises(OpenAI.APIError,
                                        async () => drain(await ask({ model: model + "-error-mid", stream: true }))),
  "bad request": (model) => raises(OpenAI.BadRequestError, () => ask({ model: model + "-400" })),
};

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (error) {
    console.log(JSON.stringify({ name, fault: String(error.stack ?? error) }));
  }
}
for (const [name, work] of Object.entries(once)) await run("responses: " + name, work);
for (const dialect of [...context.dialects, "responses"]) {
  for (const [name, work] of Object.entries(dialect === "responses" ? each : { ...each, ...faults })) {
    await run(`responses, ${dialect}: ${name}`, () => work(dialect));
  }
}
