import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Review } from '../../src/records/review.js';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import type { EditRequest } from '../../src/view/review-api.js';
import type { ImageDetail, ReviewState, SetInfo } from '../../src/view/view-api.js';
import { startBrowser } from '../support/browser.js';
import { command } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { graphOfRelations, writeLines } from '../support/graph-lines.js';
import { ViewProcess } from '../support/view-process.js';
import { type TestView, viewOf } from '../support/view-server.js';

const linesOf = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Review);

/** Waits until something holds; a page of a strict policy runs no conditions of playwright's. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail('it did not come to hold within 20 seconds');
}

const includesAll = (all: readonly number[], some: readonly number[]) => some.every((one) => all.includes(one));

describe('people who review at the same time', () => {
  let browser: Browser | null;
  /** What a test opened, which is closed also where it fails. */
  const opened: (() => Promise<unknown>)[] = [];

  before(async function () {
    browser = await startBrowser();
    if (!browser) return this.skip();
    command();
    return undefined;
  });
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });
  after(() => browser?.close());

  async function newContext(): Promise<BrowserContext> {
    const context = await browser!.newContext();
    opened.push(() => context.close());
    return context;
  }

  async function serve(graph: SceneGraph, reviews: string, reviewer: string): Promise<TestView> {
    const view = await viewOf([graph], { reviews, reviewer });
    opened.push(() => view.view.close());
    return view;
  }

  async function startProcess(...args: string[]): Promise<ViewProcess> {
    const server = await ViewProcess.start(...args);
    opened.push(async () => server.child.kill('SIGKILL'));
    return server;
  }

  /** Opens the first image by the link of a server, without its arrows, which take their time where there are many. */
  async function openImage(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(url);
    await page.goto(new URL('/?view=image&image=0&relation=0', url).href);
    await page.waitForSelector('.relations .selected');
    await page.keyboard.press('r');
    return page;
  }

  const saved = (page: Page) => page.waitForSelector('.save-state.saved:has-text("saved")');
  /** Returns the places of the relations that the page shows in a state. */
  const placesIn = (page: Page, state: ReviewState): Promise<number[]> =>
    page.evaluate(
      `[...document.querySelectorAll('.relations > li')].flatMap((item, place) => item.querySelector('.state.${state}') ? [place] : [])`,
    );

  it('lose no edit, on one server and on two that write to one file', async () => {
    const graph = graphOfRelations(20);
    const reviews = join(temporaryFolder(), 'reviews.jsonl');
    const ada = await serve(graph, reviews, 'Ada');
    const ben = await serve(graph, reviews, 'Ben');
    const pages = await Promise.all([ada, ada, ben].map(async ({ view }) => openImage(await newContext(), view.url)));
    const sent: string[] = [];
    for (const page of pages)
      page.on('request', (request) => {
        if (request.method() === 'POST')
          sent.push(...(request.postDataJSON() as EditRequest).edits.map(({ id }) => id));
      });
    const keys = ['a', 'x', 's'];
    await Promise.all(
      pages.map(async (page, number) => {
        for (let count = 0; count < 20; count++) await page.keyboard.press(keys[number]!);
        await saved(page);
      }),
    );
    const lines = await linesOf(reviews);
    assert.equal(lines.length, 60);
    assert.deepEqual(lines.map(({ id }) => id).sort(), sent.sort());
    assert.deepEqual(
      ['Ada', 'Ben'].map((name) => lines.filter(({ who }) => who === name).length),
      [40, 20],
    );
    // All of them end up with the same state, without a reload.
    const { relations } = await ben.get<ImageDetail>('/api/images/0');
    for (const state of ['approved', 'rejected', 'unsure'] as const) {
      const places = relations.flatMap(({ review }, place) => (review.state === state ? [place] : []));
      for (const page of pages) await until(async () => includesAll(await placesIn(page, state), places));
    }
  });

  it('see what others do without a reload', async () => {
    const reviews = join(temporaryFolder(), 'reviews.jsonl');
    const graph = graphOfRelations(4);
    const ada = await serve(graph, reviews, 'Ada');
    const ben = await serve(graph, reviews, 'Ben');
    const context = await newContext();
    const image = await openImage(context, ada.view.url);
    const [queue, grid] = [await context.newPage(), await context.newPage()];
    await queue.goto(new URL('/?view=review', ada.view.url).href);
    await queue.waitForSelector('.queue-progress:has-text("0 of 4 judged")');
    await grid.goto(ada.view.url);
    await grid.waitForSelector('[role=grid] a');
    const other = await openImage(await newContext(), ben.view.url);
    await other.keyboard.press('x');
    await saved(other);
    await image.waitForSelector('.relations .state.rejected:has-text("by Ben")');
    await queue.waitForSelector('.queue-progress:has-text("1 of 4 judged")');
    await grid.waitForSelector('.facet[aria-label="Review"] label:has-text("rejected")');
    // One's own edits stay as they are while those of others come in.
    await image.keyboard.press('ArrowDown');
    await image.keyboard.press('a');
    await saved(image);
    await other.waitForSelector('.relations .state.approved:has-text("by Ada")');
    assert.deepEqual([await placesIn(image, 'rejected'), await placesIn(image, 'approved')], [[0], [1]]);
  });

  it('lose none of 200 fast edits that the page showed as saved when the server is killed', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'graphs.jsonl');
    await writeLines(file, [graphOfRelations(200)]);
    let server = await startProcess(file);
    const context = await newContext();
    const page = await openImage(context, server.url.href);
    const killed = (async () => {
      await until(async () => (await placesIn(page, 'approved')).length >= 60);
      const ended = once(server.child, 'close');
      server.child.kill('SIGKILL');
      await ended;
    })();
    for (let count = 0; count < 200; count++) await page.keyboard.press('a');
    await killed;
    await page.waitForSelector('.save-state.problem:has-text("not saved: the server does not answer")');
    const shown = await placesIn(page, 'approved');
    assert.ok(shown.length >= 60 && shown.length < 200, `${shown.length} edits were shown as saved`);
    const reviews = join(folder, 'graphs.reviews.jsonl');
    const predicates = async () => new Set((await readFile(reviews, 'utf8')).match(/"p\d+"/g));
    const kept = await predicates();
    assert.deepEqual(
      shown.filter((place) => !kept.has(`"p${place}"`)),
      [],
    );
    server = await startProcess(file, '--port', server.url.port);
    // The page keeps what is not saved until the new link is open.
    const retry = page.locator('.save-state button');
    await retry.click();
    await page.waitForSelector('.save-state.problem:has-text("not saved: the token is missing or wrong")');
    const again = await openImage(context, server.url.href);
    const back = new Set(await placesIn(again, 'approved'));
    assert.deepEqual(
      shown.filter((place) => !back.has(place)),
      [],
    );
    await retry.click();
    await saved(page);
    assert.equal((await linesOf(reviews)).length, 200);
    assert.equal((await server.get<SetInfo>('/api/set')).reviews.edits, 200);
  });
});
