// Vercel's AI SDK with its providers of OpenAI (Responses and Chat), OpenAI-compatible, Anthropic and Google against the running
// server.
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, Output, embedMany, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { closed, context, newKey, raises, rows, runAll, waitForAbort } from "./common.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;
const prompt = "Hello there";
const pixel = Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1");
const parallel = [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]];
const person = z.object({ name: z.string(), age: z.number() });
const tools = {
  get_weather: tool({ description: "The weather of a city", inputSchema: z.object({ city: z.string() }), execute: async () => "sunny" }),
  get_time: tool({ description: "The time in a zone", inputSchema: z.object({ zone: z.string() }), execute: async () => "noon" }),
};

const makers = {  // name of the client -> key -> model -> what generateText takes
  "responses": (apiKey) => createOpenAI({ baseURL: context.base, apiKey }),
  "chat": (apiKey) => createOpenAI({ baseURL: context.base, apiKey }).chat,
  "compatible": (apiKey) => createOpenAICompatible({ name: "ajar", baseURL: context.base, apiKey, includeUsage: true,
                                                     supportsStructuredOutputs: true }),
  "anthropic": (apiKey) => createAnthropic({ baseURL: context.root + "/v1", apiKey }),
  "google": (apiKey) => createGoogleGenerativeAI({ baseURL: context.root + "/v1beta", apiKey }),
};
const make = (client, model, key = context.key) => makers[client](key)(model);
const ask = (model, more = {}) => generateText({ model, maxRetries: 0, ...(more.messages ? {} : { prompt }), ...more });
// All parts of a stream; what it would have thrown is among them, as parts of the type "error".
async function parts(model, more = {}) {
  const stream = streamText({ model, maxRetries: 0, onError: () => {}, ...(more.messages ? {} : { prompt }), ...more });
  const all = [];
  for await (const part of stream.fullStream) all.push(part);
  return all;
}
const textOf = (all) => all.filter((part) => part.type === "text-delta").map((part) => part.text).join("");
const callsOf = (all) => all.filter((part) => part.type === "tool-call").map((part) => [part.toolName, part.input]);
const usageOf = (all) => all.find((part) => part.type === "finish").totalUsage;
const faultOf = (all) => all.find((part) => part.type === "error")?.error;
async function fails(status, work) {
  const error = await raises(APICallError, work);
  assert.equal(error.statusCode, status, error.message);
  return error;
}

const perClient = {  // once for each client
  "wrong key": (client) => fails(401, () => ask(make(client, "openai", "sk-wrong"))),
  "unknown model": async (client) => assert.match((await fails(404, () => ask(make(client, "no-such-model")))).message, /no-such-model/),
  "budget is not called again": async (client) => {
    const key = await newKey("ai-" + client, { usd_day: 0.000001 });
    await fails(402, () => ask(make(client, "openai", key.secret), { maxRetries: 3 }));
    assert.equal((await rows(key.name)).length, 1);
  },
};

const perPair = {  // each client over each upstream dialect
  "whole": async (client, model) => {
    const answer = await ask(make(client, model), { system: "Be brief." });
    assert.match(answer.text, /Hello there/);
    assert.equal(answer.finishReason, "stop");
    assert.ok(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0, JSON.stringify(answer.usage));
  },
  "stream": async (client, model) => {
    const all = await parts(make(client, model));
    assert.equal(textOf(all), (await ask(make(client, model))).text);
    // What the upstream sends at once is one event of Gemini's API.
    assert.ok(all.filter((part) => part.type === "text-delta").length > (client === "google" ? 0 : 2));
    assert.equal(all.at(-1).finishReason, "stop");
    assert.ok(usageOf(all).inputTokens > 0 && usageOf(all).outputTokens > 0, JSON.stringify(usageOf(all)));
  },
  "tools": async (client, model) => {  // the SDK calls the tool and asks again by itself
    const more = { prompt: "Please use the tool", tools: { get_weather: tools.get_weather }, stopWhen: stepCountIs(3) };
    const answer = await ask(make(client, model), more);
    assert.equal(answer.steps.length, 2);
    assert.ok("city" in answer.steps[0].toolCalls[0].input && answer.text);
    assert.equal(answer.steps[0].finishReason, "tool-calls");
    const all = await parts(make(client, model), more);
    assert.equal(all.filter((part) => part.type === "tool-result").length, 1);
    assert.ok(textOf(all) && !faultOf(all), String(faultOf(all)));
  },
  "parallel tools": async (client, model) => {
    const answer = await ask(make(client, model + "-parallel"), { tools });
    assert.deepEqual(answer.toolCalls.map((call) => [call.toolName, call.input]), parallel);
    assert.equal(new Set(answer.toolCalls.map((call) => call.toolCallId)).size, 2);
    assert.deepEqual(callsOf(await parts(make(client, model + "-parallel"), { tools })), parallel);
  },
  "structured": async (client, model) => {
    const answer = await ask(make(client, model), { output: Output.object({ schema: person }) });
    person.parse(answer.output);
  },
  "image": async (client, model) => {
    const content = [{ type: "text", text: "What is it?" }, { type: "image", image: pixel, mediaType: "image/png" }];
    const said = (await ask(make(client, model + "-echo"), { messages: [{ role: "user", content }] })).text;
    assert.ok(said.includes(pixel.toString("base64")) && said.includes("image/png"), said);
  },
  "cut stream": async (client, model) => {
    const all = await parts(make(client, model + "-cut"));
    assert.ok(textOf(all).length > 0);
    assert.ok(faultOf(all), "the cut was not noticed: " + JSON.stringify(all.slice(-3)));
  },
  "upstream errors": async (client, model) => {
    for (const [fault, status] of [["429", 429], ["400", 400], ["500", 502]]) {
      const error = await fails(status, () => ask(make(client, `${model}-${fault}`)));
      if (fault !== "429") assert.match(error.message, /simulated fault/);  // a second 429 may be Ajar's own: it waits
      assert.equal(error.isRetryable, fault !== "400");
    }
  },
  "abort": async (client, model) => {
    const key = await newKey("ai-" + client), before = await closed(), leave = new AbortController();
    let count = 0;
    const stream = streamText({ model: make(client, model + "-endless", key.secret), prompt, maxRetries: 0, onError: () => {},
                                abortSignal: leave.signal });
    for await (const part of stream.fullStream) if (part.type === "text-delta" && ++count === 3) leave.abort();
    await waitForAbort(before, key.name);
  },
};

const once = {
  "thinking": async () => {
    for (const model of ["anthropic", "gemini"]) {
      const providerOptions = { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } };
      const answer = await ask(make("anthropic", model + "-thinking"), { providerOptions });
      assert.match(answer.reasoningText, /Let me think\./);
      assert.equal(answer.text, "So it is.");
      const messages = [{ role: "user", content: "Hi" }, ...answer.response.messages, { role: "user", content: "And?" }];
      assert.ok((await ask(make("anthropic", model + "-echo"), { messages, providerOptions })).text.includes("c2lnbmVk"));
    }
  },
  "embeddings": async () => {
    const openai = createOpenAI({ baseURL: context.base, apiKey: context.key });
    const compatible = createOpenAICompatible({ name: "ajar", baseURL: context.base, apiKey: context.key });
    const google = createGoogleGenerativeAI({ baseURL: context.root + "/v1beta", apiKey: context.key });
    for (const provider of [openai, compatible, google]) {
      for (const model of ["openai", "gemini"]) {
        const { embeddings } = await embedMany({ model: provider.embeddingModel(model), values: ["one", "two"], maxRetries: 0 });
        assert.ok(embeddings.length === 2 && embeddings[0].length > 0);
      }
    }
  },
};
const each = {};
for (const client of Object.keys(makers)) {
  for (const [name, work] of Object.entries(perClient)) once[`${client} client: ${name}`] = () => work(client);
  for (const [name, work] of Object.entries(perPair)) each[`${client} client: ${name}`] = (model) => work(client, model);
}

await runAll(once, each);
