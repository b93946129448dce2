// Anthropic's JavaScript SDK against the running server.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { closed, context, newKey, raises, runAll, waitForAbort } from "./common.mjs";

const hello = [{ role: "user", content: "Hello there" }];
const tool = { name: "get_weather", input_schema: {
  type: "object", properties: { city: { type: "string" } }, required: ["city"] } };
const pixel = Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1").toString("base64");
const parallel = [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]];

const make = (more = {}) =>
  new Anthropic({ baseURL: context.root, apiKey: context.key, maxRetries: 0, timeout: 30_000, ...more });
const client = make();
const ask = (body, c = client) => c.messages.create({ max_tokens: 1000, messages: hello, ...body });
const streamed = (body, c = client) => c.messages.stream({ max_tokens: 1000, messages: hello, ...body });
const drain = async (stream) => { const all = []; for await (const event of stream) all.push(event); return all; };

const once = {
  "count tokens": async () => {
    const few = (await client.messages.countTokens({ model: "anthropic", messages: hello })).input_tokens;
    const many = (await client.messages.countTokens({ model: "anthropic", messages: hello, tools: [tool],
                                                      system: "Many more words." })).input_tokens;
    assert.ok(0 < few && few < many, `${few} ${many}`);
  },
  "wrong key": () => raises(Anthropic.AuthenticationError, () => ask({ model: "openai" }, make({ apiKey: "sk-wrong" }))),
  "unknown model": () => raises(Anthropic.NotFoundError, () => ask({ model: "no-such-model" })),
  "wrong type": () => raises(Anthropic.BadRequestError, () => ask({ model: "openai", top_k: "many" })),
  "models": async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes("anthropic") && ids.includes("gemini-endless"));
  },
};

const each = {
  "whole": async (model) => {
    const message = await ask({ model });
    assert.match(message.content[0].text, /Hello there/);
    assert.equal(message.stop_reason, "end_turn");
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
    assert.match(message._request_id, /^req_/);
  },
  "stream": async (model) => {
    const stream = streamed({ model });
    const kinds = (await drain(stream)).map((event) => event.type);
    assert.equal(kinds[0], "message_start");
    assert.equal(kinds.at(-1), "message_stop");
    const final = await stream.finalMessage();
    assert.equal(final.content[0].text, (await ask({ model })).content[0].text);
  },
  "tools": async (model) => {
    const messages = [{ role: "user", content: "Please use the tool" }];
    for (const first of [await ask({ model, messages, tools: [tool] }),
                         await streamed({ model, messages, tools: [tool] }).finalMessage()]) {
      assert.equal(first.stop_reason, "tool_use");
      const call = first.content.at(-1);
      assert.ok("city" in call.input);
      const second = await ask({ model, tools: [tool], messages: [...messages,
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: [{ type: "text", text: "sunny" }] }] }] });
      assert.equal(second.stop_reason, "end_turn");
    }
  },
  "parallel tools": async (model) => {
    const body = { model: model + "-parallel", tools: [tool] };
    for (const message of [await ask(body), await streamed(body).finalMessage()]) {
      assert.deepEqual(message.content.map((block) => [block.name, block.input]), parallel);
    }
  },
  "thinking": async (model) => {
    const body = { model: model + "-thinking", max_tokens: 4000, thinking: { type: "enabled", budget_tokens: 1024 } };
    for (const message of [await ask(body), await streamed(body).finalMessage()]) {
      assert.equal(message.content.find((block) => block.type === "thinking").thinking, "Let me think.");
      const again = [...hello, { role: "assistant", content: message.content }, { role: "user", content: "And?" }];
      const sent = (await ask({ model: model + "-echo", messages: again })).content[0].text;
      assert.equal(sent.includes("c2lnbmVk"), model !== "openai", sent);
    }
  },
  "image": async (model) => {
    const content = [{ type: "image", source: { type: "base64", media_type: "image/png", data: pixel } }];
    const said = (await ask({ model: model + "-echo", messages: [{ role: "user", content }] })).content[0].text;
    assert.ok(said.includes(pixel), said);
  },
  "cut": (model) => raises(Anthropic.APIError, async () => drain(await ask({ model: model + "-cut", stream: true }))),
  "error mid stream": async (model) => {
    const error = await raises(Anthropic.APIError, async () => drain(await ask({ model: model + "-error-mid", stream: true })));
    assert.match(error.message, /simulated/);
  },
  "abort": async (model) => {
    const before = await closed();
    const key = await newKey("anthropic");
    const stream = await ask({ model: model + "-endless", stream: true }, make({ apiKey: key.secret }));
    let count = 0;
    for await (const _ of stream) if (++count === 5) break;
    stream.controller.abort();
    await waitForAbort(before, key.name);
  },
  "bad request": (model) => raises(Anthropic.BadRequestError, () => ask({ model: model + "-400" })),
  "server error": (model) => raises(Anthropic.InternalServerError, () => ask({ model: model + "-500" })),
  "rate limit": (model) => raises(Anthropic.RateLimitError, () => ask({ model: model + "-429" })),
};

await runAll(once, each);
