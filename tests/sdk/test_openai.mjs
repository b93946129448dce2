// The official JavaScript SDK against the running server. The context comes as JSON on stdin; one JSON line per test.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import OpenAI, { toFile } from "openai";
import { closed, context, newKey, raises, rows, runAll, sleep, waitForAbort } from "./common.mjs";

const allBytes = Buffer.from(Array.from({ length: 256 * 300 }, (_, at) => at % 256));
const hello = [{ role: "user", content: "Hello there" }];
const tool = { type: "function", function: { name: "get_weather", parameters: {
  type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const schema = { type: "object", additionalProperties: false, required: ["name", "age"],
                 properties: { name: { type: "string" }, age: { type: "integer" } } };

const make = (more = {}) =>
  new OpenAI({ baseURL: context.base, apiKey: context.key, maxRetries: 0, timeout: 30_000, ...more });
const client = make();
const chat = (body, c = client) => c.chat.completions.create({ messages: hello, ...body });
const drain = async (stream) => { for await (const _ of stream); };

const once = {
  "wrong key": () => raises(OpenAI.AuthenticationError, () => chat({ model: "openai" }, make({ apiKey: "sk-wrong" }))),
  "unknown model": async () => {
    const error = await raises(OpenAI.NotFoundError, () => chat({ model: "no-such-model" }));
    assert.equal(error.code, "model_not_found");
  },
  "wrong type": async () => {
    const error = await raises(OpenAI.BadRequestError, () => chat({ model: "openai", temperature: "hot" }));
    assert.equal(error.param, "temperature");
  },
  "our rate limit": async () => {
    const c = make({ apiKey: (await newKey("openai", { rpm: 1 })).secret });
    await chat({ model: "openai" }, c);
    const error = await raises(OpenAI.RateLimitError, () => chat({ model: "openai" }, c));
    assert.ok(Number(error.headers.get("retry-after")) >= 1);
  },
  "budget is not retried": async () => {
    const key = await newKey("openai", { usd_day: 0.000001 });
    const c = make({ apiKey: key.secret, maxRetries: 5 });
    const error = await raises(OpenAI.APIError, () => chat({ model: "openai" }, c));
    assert.equal(error.status, 402);
    assert.equal((await rows(key.name)).length, 1);
  },
  "embeddings": async () => {
    for (const model of ["openai", "gemini"]) {
      const packed = await client.embeddings.create({ model, input: ["one", "two"] });
      const floats = await client.embeddings.create({ model, input: ["one", "two"], encoding_format: "float" });
      assert.equal(packed.data.length, 2);
      for (let i = 0; i < 2; ++i) {
        assert.equal(packed.data[i].embedding.length, floats.data[i].embedding.length);
        packed.data[i].embedding.forEach((x, at) => assert.ok(Math.abs(x - floats.data[i].embedding[at]) < 1e-6));
      }
    }
  },
  "models": async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes("anthropic") && ids.includes("gemini-endless"));
  },
  "files": async () => {
    const content = Buffer.concat([Buffer.from('{"a":1}\n'), allBytes]);
    const made = await client.files.create({ file: await toFile(content, "notes \u00fc.bin"), purpose: "batch" });
    assert.deepEqual([made.object, made.bytes, made.filename], ["file", content.length, "notes \u00fc.bin"]);
    assert.equal((await client.files.retrieve(made.id)).purpose, "batch");
    const ids = [];
    for await (const file of client.files.list()) ids.push(file.id);
    assert.ok(ids.includes(made.id));
    assert.ok(Buffer.from(await (await client.files.content(made.id)).arrayBuffer()).equals(content));
    const other = make({ apiKey: (await newKey("openai")).secret });
    await raises(OpenAI.NotFoundError, () => other.files.retrieve(made.id));
    assert.equal((await client.files.delete(made.id)).deleted, true);
    await raises(OpenAI.NotFoundError, () => client.files.content(made.id));
  },
  "batches": async () => {
    const models = [...context.dialects, "no-such-model"];
    const lines = models.map((model) => JSON.stringify({ custom_id: model, method: "POST", url: "/v1/chat/completions",
                                                         body: { model, messages: hello } })).join("\n");
    const file = await client.files.create({ file: await toFile(Buffer.from(lines), "in.jsonl"), purpose: "batch" });
    let batch = await client.batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
    const began = Date.now();
    while (!["completed", "failed", "expired", "cancelled"].includes(batch.status) && Date.now() - began < 60_000) {
      await sleep(50);
      batch = await client.batches.retrieve(batch.id);
    }
    assert.equal(batch.status, "completed", JSON.stringify(batch));
    assert.deepEqual(batch.request_counts, { total: 4, completed: 3, failed: 1 });
    const told = (await (await client.files.content(batch.output_file_id)).text()).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(told.map((row) => row.custom_id).sort(), [...context.dialects].sort());
    for (const row of told) assert.match(row.response.body.choices[0].message.content, /Hello there/);
    const wrong = JSON.parse(await (await client.files.content(batch.error_file_id)).text());
    assert.deepEqual([wrong.custom_id, wrong.response.status_code], ["no-such-model", 404]);
    await raises(OpenAI.ConflictError, () => client.batches.cancel(batch.id));
  },
  "moderations": async () => {
    const answer = await client.moderations.create({ model: "openai-media", input: ["good", "bad"] });
    assert.deepEqual(answer.results.map((row) => row.flagged), [false, true]);
  },
  "images": async () => {
    const made = await client.images.generate({ model: "openai-media", prompt: "a cat", n: 2 });
    assert.deepEqual(made.data.map((one) => Buffer.from(one.b64_json, "base64").toString()), ["a cat", "a cat"]);
    const edited = await client.images.edit({ model: "openai-media", prompt: "gr\u00fcn",
      image: await toFile(allBytes, "cat.png", { type: "image/png" }) });
    assert.ok(Buffer.from(edited.data[0].b64_json, "base64").equals(allBytes));
    assert.equal(edited.data[0].revised_prompt, "gr\u00fcn of cat.png");
  },
  "speech": async () => {
    const answer = await client.audio.speech.create({ model: "openai-media", voice: "alloy", input: "\u00fcber" });
    const sound = Buffer.from(await answer.arrayBuffer());
    assert.equal(sound.length, 256 * 700 + 5);
    assert.ok(sound.equals(Buffer.concat([...Array(700).fill(allBytes.subarray(0, 256)), Buffer.from("\u00fcber")])));
  },
  "transcriptions": async () => {
    const expected = "a.wav " + createHash("sha256").update(allBytes).digest("hex");
    const file = await toFile(allBytes, "a.wav", { type: "audio/wav" });
    assert.equal((await client.audio.transcriptions.create({ model: "openai-media", file })).text, expected);
    assert.equal((await client.audio.transcriptions.create({ model: "openai-media", file, response_format: "text" })).trim(), expected);
  },
  "media of a target without": () =>
    raises(OpenAI.BadRequestError, () => client.images.generate({ model: "anthropic-media", prompt: "a cat" })),
};

const each = {
  "whole": async (model) => {
    const answer = await chat({ model });
    assert.match(answer.choices[0].message.content, /Hello there/);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.match(answer._request_id, /^req_/);
  },
  "stream": async (model) => {
    let text = "", usage = null;
    for await (const chunk of await chat({ model, stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      if (chunk.choices.length === 0) usage = chunk.usage;
    }
    assert.equal(text, (await chat({ model })).choices[0].message.content);
    assert.ok(usage.total_tokens > 0);
  },
  "tools": async (model) => {
    const messages = [{ role: "user", content: "Please use the tool" }];
    const first = (await chat({ model, messages, tools: [tool] })).choices[0];
    assert.equal(first.finish_reason, "tool_calls");
    const call = first.message.tool_calls[0];
    assert.ok("city" in JSON.parse(call.function.arguments));
    messages.push(first.message, { role: "tool", tool_call_id: call.id, content: "sunny" });
    const second = (await chat({ model, messages, tools: [tool] })).choices[0];
    assert.equal(second.finish_reason, "stop");
    assert.ok(second.message.content);
  },
  "tool runner": async (model) => {
    let asked = 0;
    const runner = client.chat.completions.runTools({ model, messages: [{ role: "user", content: "Please use the tool" }],
      tools: [{ type: "function", function: { ...tool.function, parse: JSON.parse,
                function: () => { ++asked; return "sunny"; } } }], stream: true });
    assert.ok(await runner.finalContent());
    assert.equal(asked, 1);
  },
  "parallel tools": async (model) => {
    const expected = [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]];
    const seen = (message) => message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]);
    const body = { model: model + "-parallel", messages: hello, tools: [tool] };
    assert.deepEqual(seen((await chat(body)).choices[0].message), expected);
    const final = await client.chat.completions.stream(body).finalChatCompletion();
    assert.deepEqual(seen(final.choices[0].message), expected);
    assert.equal(final.choices[0].finish_reason, "tool_calls");
  },
  "structured": async (model) => {
    const answer = await client.chat.completions.parse({ model, messages: hello, response_format: {
      type: "json_schema", json_schema: { name: "person", strict: true, schema } } });
    const value = answer.choices[0].message.parsed ?? JSON.parse(answer.choices[0].message.content);
    assert.equal(typeof value.name, "string");
    assert.equal(typeof value.age, "number");
  },
  "image": async (model) => {
    const url = "data:image/png;base64," + Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1").toString("base64");
    const content = [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url } }];
    const said = (await chat({ model: model + "-echo", messages: [{ role: "user", content }] })).choices[0].message.content;
    assert.ok(said.includes(url.split(",")[1]) && said.includes("image/png"), said);
  },
  "cut": (model) => raises(OpenAI.APIError, async () => drain(await chat({ model: model + "-cut", stream: true }))),
  "error mid stream": async (model) => {
    const error = await raises(OpenAI.APIError,
                               async () => drain(await chat({ model: model + "-error-mid", stream: true })));
    assert.match(error.message, /simulated/);
  },
  "broken answer": async (model) => {
    const error = await raises(OpenAI.InternalServerError, () => chat({ model: model + "-cut-whole" }));
    assert.equal(error.status, 502);
  },
  "abort": async (model) => {
    const before = await closed();
    const key = await newKey("openai");
    const stream = await chat({ model: model + "-endless", stream: true }, make({ apiKey: key.secret }));
    let count = 0;
    for await (const _ of stream) if (++count === 3) break;
    stream.controller.abort();
    await waitForAbort(before, key.name);
  },
  "bad request": (model) => raises(OpenAI.BadRequestError, () => chat({ model: model + "-400" })),
  "unprocessable": (model) => raises(OpenAI.UnprocessableEntityError, () => chat({ model: model + "-422" })),
  "server error": (model) => raises(OpenAI.InternalServerError, () => chat({ model: model + "-500" })),
  "rate limit": async (model) => {
    await sleep(1100);  // the other SDK's test may have left the target cooling
    const key = await newKey("openai");
    const c = make({ apiKey: key.secret, maxRetries: 1 });
    await raises(OpenAI.RateLimitError, () => chat({ model: model + "-429" }, c));
    const got = await rows(key.name, 2);
    assert.deepEqual(got.map((row) => row.status), [429, 429]);
    assert.ok(got[0].time_ms - got[1].time_ms >= 950);
  },
};

await runAll(once, each);
