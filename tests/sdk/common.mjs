// What the JavaScript suites share. The context comes as JSON on stdin; one JSON line per test goes to stdout.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const context = JSON.parse(readFileSync(0, "utf8"));
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function admin(path, body) {
  const answer = await fetch(context.admin + path, { method: body ? "POST" : "GET",
    headers: { authorization: "Bearer " + context.token }, body: body && JSON.stringify(body) });
  return answer.json();
}
// The key's calls, the latest first; a call is written a moment after its answer.
export async function rows(key, least = 1) {
  const began = Date.now();
  for (;;) {
    const got = (await admin("/calls?key=" + key)).data;
    if (got.length >= least || Date.now() - began > 10_000) return got;
    await sleep(50);
  }
}
export const closed = async () => (await (await fetch(context.scripted + "/closed")).json()).closed;

let number = 0;
export async function newKey(suite, limits = {}) {
  const name = `node-${suite}-${++number}`;
  return { name, secret: (await admin("/keys", { name, ...limits })).secret };
}

export async function raises(kind, work) {
  try { await work(); } catch (error) {
    assert.ok(error instanceof kind, `expected ${kind.name}, got ${error.constructor.name}: ${error.message}`);
    return error;
  }
  assert.fail(`${kind.name} was not raised`);
}

// The upstream learns of the client's leaving within a second, and the call is booked as cancelled.
export async function waitForAbort(before, key) {
  const began = Date.now();
  while ((await closed()) === before && Date.now() - began < 10_000) await sleep(20);
  assert.ok(Date.now() - began < 1000, "the upstream was not cancelled within a second");
  assert.equal((await rows(key))[0].end, "cancelled");
}

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (error) {
    console.log(JSON.stringify({ name, fault: String(error.stack ?? error) }));
  }
}
// `once`: name -> test; `each`: name -> test of one upstream dialect's routes.
export async function runAll(once, each) {
  for (const [name, work] of Object.entries(once)) await run(name, work);
  for (const dialect of context.dialects) {
    for (const [name, work] of Object.entries(each)) await run(`${dialect}: ${name}`, () => work(dialect));
  }
}
