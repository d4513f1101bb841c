// Job runners for Node, measured with the same work as the ones in Rust: a page is fetched, its body hashed, and one
// row written to the database of the queue.
//
// usage: node worker.mjs fill RUNNER STORE FILE, with one URL per line of FILE
//        node worker.mjs work RUNNER STORE CONCURRENCY JOBS
//
// `fill` sets up the store and adds the jobs; `work` runs until this many are done. RUNNER is graphile-worker or
// pg-boss.

import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import pg from "pg";
import { PgBoss } from "pg-boss";

const QUEUE = "pages";
const BATCH = 1_000;
/** Milliseconds after which a run has failed. */
const LIMIT = 900_000;

const TABLE = "CREATE TABLE synced_pages (url text PRIMARY KEY, hash bytea NOT NULL, content text NOT NULL)";
const UPSERT = {
  name: "upsert",
  text: `INSERT INTO synced_pages (url, hash, content) VALUES ($1, $2, $3)
    ON CONFLICT (url) DO UPDATE SET hash = excluded.hash, content = excluded.content`,
};

/** Fetches a page, hashes its body and writes its row with `query`. */
async function sync(url, query) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url}: ${response.status}`);
  }
  const body = Buffer.from(await response.arrayBuffer());
  const hash = createHash("sha256").update(body).digest();
  await query({ ...UPSERT, values: [url, hash, body.toString("utf8")] });
}

/** A promise, and a function that settles it with its `jobs`th call. */
function countdown(jobs) {
  let done;
  const ended = new Promise((resolve) => (done = resolve));
  return { ended, count: () => --jobs === 0 && done() };
}

function* batches(urls) {
  for (let first = 0; first < urls.length; first += BATCH) {
    yield urls.slice(first, first + BATCH);
  }
}

async function makeTable(store) {
  const client = new pg.Client(store);
  await client.connect();
  await client.query(TABLE);
  await client.end();
}

// With the batching that its documentation describes for many short jobs: jobs are fetched and completed together.
const graphileWorker = {
  async fill(store, urls) {
    const utils = await makeWorkerUtils({ connectionString: store, logger: quiet() });
    await utils.migrate();
    for (const batch of batches(urls)) {
      await utils.addJobs(batch.map((url) => ({ identifier: QUEUE, payload: { url } })));
    }
    await utils.release();
  },

  async work(store, concurrency, jobs) {
    const { ended, count } = countdown(jobs);
    const worker = {
      connectionString: store,
      concurrentJobs: concurrency,
      maxPoolSize: concurrency + 1,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      logger: quiet(),
    };
    const task = async ({ url }, helpers) => {
      await sync(url, (query) => helpers.withPgClient((client) => client.query(query)));
      count();
    };
    const runner = await run({ preset: { worker }, noHandleSignals: true, taskList: { [QUEUE]: task } });
    await ended;
    await runner.stop();
  },
};

/** A logger without output: the runner writes a line for each job otherwise. */
function quiet() {
  return new Logger(() => () => {});
}

// With batches that are fetched one after the other while they are full; by default a worker takes one job every two
// seconds. Four batches at a time, so that a slow page does not hold up all.
const pgBoss = {
  async fill(store, urls) {
    const boss = new PgBoss(store);
    boss.on("error", fail);
    await boss.start();
    await boss.createQueue(QUEUE);
    for (const batch of batches(urls)) {
      await boss.insert(QUEUE, batch.map((url) => ({ data: { url } })));
    }
    await boss.stop();
  },

  async work(store, concurrency, jobs) {
    const { ended, count } = countdown(jobs);
    const pool = new pg.Pool({ connectionString: store, max: 10 });
    const boss = new PgBoss(store);
    boss.on("error", fail);
    await boss.start();
    const options = {
      localConcurrency: 4,
      batchSize: concurrency / 4,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
    };
    await boss.work(QUEUE, options, async (batch) => {
      await Promise.all(batch.map(async ({ data }) => {
        await sync(data.url, (query) => pool.query(query));
        count();
      }));
    });
    await ended;
    await boss.stop();
    await pool.end();
  },
};

function fail(error) {
  console.error(error);
  process.exit(1);
}

const runners = { "graphile-worker": graphileWorker, "pg-boss": pgBoss };
const [verb, name, store, ...rest] = process.argv.slice(2);
const runner = runners[name] ?? fail(`${name} is no runner`);
setTimeout(() => fail(`not done in ${LIMIT / 1_000} s`), LIMIT).unref();
if (verb === "fill") {
  await runner.fill(store, readFileSync(rest[0], "utf8").trimEnd().split("\n"));
  await makeTable(store);
} else {
  await runner.work(store, Number(rest[0]), Number(rest[1]));
}
process.exit(0);
