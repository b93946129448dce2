// LangChain's chat models of OpenAI (Chat and Responses), Anthropic and Google against the running server.
import assert from "node:assert/strict";
import { ChatAnthropic } from "@langchain/anthropic";
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { concat } from "@langchain/core/utils/stream";
import { tool } from "@langchain/core/tools";
import { ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings } from "@langchain/google-genai";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { z } from "zod";
import { closed, context, newKey, rows, runAll, waitForAbort } from "./common.mjs";

const pixel = Buffer.from("\x89PNG\r\n\x1a\n pixel", "latin1").toString("base64");
const parallel = [["get_weather", { city: "Bonn" }], ["get_time", { zone: "CET" }]];
const person = z.object({ name: z.string(), age: z.number() });
const weather = tool(({ city }) => city + ": sunny",
                     { name: "get_weather", description: "The weather of a city", schema: z.object({ city: z.string() }) });
const time = tool(({ zone }) => zone + ": noon",
                  { name: "get_time", description: "The time in a zone", schema: z.object({ zone: z.string() }) });

const makers = {
  "chat": (more) => new ChatOpenAI({ configuration: { baseURL: context.base }, timeout: 30_000, ...more }),
  "responses": (more) => new ChatOpenAI({ configuration: { baseURL: context.base }, useResponsesApi: true, timeout: 30_000, ...more }),
  "anthropic": (more) => new ChatAnthropic({ anthropicApiUrl: context.root, maxTokens: 1000, ...more }),
  "google": (more) => new ChatGoogleGenerativeAI({ baseUrl: context.root, ...more }),
};
const make = (client, model, apiKey = context.key, more = {}) => makers[client]({ model, apiKey, maxRetries: 0, ...more });
async function streamed(model, asked) {
  const chunks = [];
  for await (const chunk of await model.stream(asked)) chunks.push(chunk);
  return { chunks, whole: chunks.reduce((all, chunk) => concat(all, chunk)) };
}
// Its clients raise errors of several packages; all of them tell the status.
async function fails(status, work) {
  try { await work(); } catch (error) {
    assert.equal(error.status, status, String(error.stack));
    return error;
  }
  assert.fail("no error");
}

const perClient = {
  "wrong key": (client) => fails(401, () => make(client, "openai", "sk-wrong").invoke("Hello")),
  "unknown model": async (client) => {
    assert.match((await fails(404, () => make(client, "no-such-model").invoke("Hello"))).message, /no-such-model/);
  },
  "budget": async (client) => {
    const key = await newKey("langchain-" + client, { usd_day: 0.000001 });
    await fails(402, () => make(client, "openai", key.secret, { maxRetries: 3 }).invoke("Hello"));
    assert.equal((await rows(key.name)).length, 1);
  },
};

const perPair = {
  "whole": async (client, model) => {
    const answer = await make(client, model).invoke([new SystemMessage("Be brief."), new HumanMessage("Hello there")]);
    assert.ok(AIMessage.isInstance(answer));
    assert.match(answer.text, /Hello there/);
    const usage = answer.usage_metadata;
    assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0, JSON.stringify(usage));
    assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  },
  "stream": async (client, model) => {
    const { whole } = await streamed(make(client, model), "Hello there");
    if (client === "google") assert.equal(whole.response_metadata.finishReason, "STOP");
    assert.equal(whole.text, (await make(client, model).invoke("Hello there")).text);
    assert.ok(whole.usage_metadata.output_tokens > 0, JSON.stringify(whole.usage_metadata));
  },
  "tools": async (client, model) => {
    const bound = make(client, model).bindTools([weather]), asked = [new HumanMessage("Please use the tool")];
    for (const first of [await bound.invoke(asked), (await streamed(bound, asked)).whole]) {
      assert.deepEqual(first.tool_calls.map((call) => call.name), ["get_weather"]);
      const result = await weather.invoke({ ...first.tool_calls[0], type: "tool_call" });
      assert.ok(ToolMessage.isInstance(result));
      const second = await bound.invoke([...asked, first, result]);
      assert.ok(second.text && !second.tool_calls?.length);
    }
  },
  "parallel tools": async (client, model) => {
    const bound = make(client, model + "-parallel").bindTools([weather, time]);
    for (const answer of [await bound.invoke("Hello there"), (await streamed(bound, "Hello there")).whole]) {
      assert.deepEqual(answer.tool_calls.map((call) => [call.name, call.args]), parallel);
      assert.equal(new Set(answer.tool_calls.map((call) => call.id)).size, 2);
    }
  },
  "structured": async (client, model) => {  // by a schema, and by a tool that must be called
    for (const method of ["jsonSchema", "functionCalling"]) {
      person.parse(await make(client, model).withStructuredOutput(person, { name: "person", method }).invoke("Hello there"));
    }
  },
  "image": async (client, model) => {
    if (client === "google") return;  // it goes by the model's name, and sends pictures to models of Google's only
    const content = [{ type: "text", text: "What is it?" },
                     { type: "image_url", image_url: { url: "data:image/png;base64," + pixel } }];
    const said = (await make(client, model + "-echo").invoke([new HumanMessage({ content })])).text;
    assert.ok(said.includes(pixel) && said.includes("image/png"), said);
  },
  "cut stream": async (client, model) => {
    let seen = "";
    if (client === "google") {
      // Google's older SDK beneath passes over the error event that Google sends, and Ajar too. What is left to see is that no
      // reason of the end came.
      const { whole } = await streamed(make(client, model + "-cut"), "Hello there");
      return assert.ok(whole.text && whole.response_metadata.finishReason === undefined, JSON.stringify(whole.response_metadata));
    }
    await assert.rejects(async () => {
      for await (const chunk of await make(client, model + "-cut").stream("Hello there")) seen += chunk.text;
    });
    assert.ok(seen);
  },
  "upstream errors": async (client, model) => {
    for (const [fault, status] of [["429", 429], ["400", 400], ["500", 502]]) {
      const error = await fails(status, () => make(client, `${model}-${fault}`).invoke("Hello there"));
      if (fault !== "429") assert.match(error.message, /simulated fault/);  // a second 429 may be Ajar's own: it waits
    }
  },
  "abort": async (client, model) => {
    if (client === "google") return;  // an abort is a rejection in the SDK beneath that no one can catch
    const key = await newKey("langchain-" + client), before = await closed(), leave = new AbortController();
    let count = 0;
    await assert.rejects(async () => {
      const stream = await make(client, model + "-endless", key.secret).stream("Hello there", { signal: leave.signal });
      for await (const _ of stream) if (++count === 3) leave.abort();
    });
    await waitForAbort(before, key.name);
  },
};

const once = {
  "embeddings": async () => {
    for (const model of ["openai", "gemini"]) {
      for (const client of [
        new OpenAIEmbeddings({ model, apiKey: context.key, configuration: { baseURL: context.base }, maxRetries: 0 }),
        new GoogleGenerativeAIEmbeddings({ model, apiKey: context.key, baseUrl: context.root, maxRetries: 0 })]) {
        const two = await client.embedDocuments(["a", "b"]), one = await client.embedQuery("a");
        assert.equal(two.length, 2);
        assert.ok(one.length > 0 && one.every((value, at) => Math.abs(value - two[0][at]) < 1e-6));
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
