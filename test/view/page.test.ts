import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import type { Queue } from '../../src/view/review-api.js';
import type { StartViewOptions } from '../../src/view/server/start-view.js';
import type { ImagePage, SetInfo } from '../../src/view/view-api.js';
import { startBrowser, type Watched, watch } from '../support/browser.js';
import { command, relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { variedGraphs } from '../support/graph-lines.js';
import { setOf, type TestView, viewOf } from '../support/view-server.js';

/** Texts that would run as code on a page that is not careful. */
const HOSTILE = [
  '<img src=x onerror="globalThis.hacked=1">',
  '"><script>globalThis.hacked=1</script>',
  "javascript:globalThis.hacked=1//'",
  '{{globalThis.hacked=1}}<iframe srcdoc="<script>parent.hacked=1</script>">',
  '\u202Egnp.exe<svg onload=globalThis.hacked=1>',
];

/** Scene graphs all of whose texts are hostile. */
const hostileGraphs = (): SceneGraph[] =>
  variedGraphs(20).map((graph, number) => {
    const text = HOSTILE[number % HOSTILE.length]!;
    return {
      ...graph,
      image: { ...graph.image, file: `${number}${text.replaceAll('/', '_')}.jpg`, dataset: text, split: text },
      objects: graph.objects.map((object, index) => ({
        ...object,
        id: `${index}${text}`,
        category: `${text} ${index}`,
      })),
      captions: [{ text: `A ${text} near a ${text}`, source: text }],
      relations: graph.relations.map((relation, index) => ({ ...relation, predicate: `${text} ${index}` })),
    };
  });

describe('the page of view', () => {
  let browser: Browser | null;
  let view: TestView;
  let context: BrowserContext;
  let page: Page;
  let watched: Watched;

  before(async function () {
    browser = await startBrowser();
    if (!browser) return this.skip();
    command();
    return undefined;
  });
  after(() => browser?.close());

  /** Opens the link of a server in a new context. */
  async function open(graphs: readonly SceneGraph[], width = 1400, options: StartViewOptions = {}): Promise<void> {
    view = await viewOf(graphs, { reviewer: 'Ada', ...options });
    context = await browser!.newContext({ viewport: { width, height: 900 } });
    watched = watch(context);
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(view.view.url);
    await page.waitForSelector('[role=grid] a');
  }
  afterEach(async () => {
    if (!context) return;
    const { origins, problems } = watched;
    assert.deepEqual([...origins], [`http://127.0.0.1:${view.view.port}`]);
    assert.deepEqual(problems, []);
    await context.close();
    await view.view.close();
  });

  const goTo = (path: string) => page.goto(`http://127.0.0.1:${view.view.port}${path}`);
  const text = (selector: string) => page.innerText(selector);
  const saved = () => page.waitForSelector('.save-state.saved:has-text("saved")');
  /** Waits until the line above the grid says so. */
  async function counted(line: string): Promise<void> {
    for (let attempt = 0; attempt < 100 && (await text('.summary p')) !== line; attempt++) await sleep(100);
    assert.equal(await text('.summary p'), line);
  }
  /** Forgets the console's line about a reply that a test provoked. */
  const forgive = (status: number) => {
    const { problems } = watched;
    problems.splice(0, problems.length, ...problems.filter((line) => !line.includes(`status of ${status}`)));
  };

  it('filters, opens, corrects, shows the correction after a reload, and apply makes a set of it', async () => {
    const graphs = variedGraphs(60);
    const riding = graphs.flatMap(({ relations }) => relations.filter(({ predicate }) => predicate === 'riding'));
    const images = graphs.filter(({ relations }) => relations.some(({ predicate }) => predicate === 'riding'));
    await open(graphs);
    await page.click('.facet[aria-label=Predicate] label:has-text("riding")');
    await counted(`${images.length} images · ${riding.length} relations`);
    assert.equal(new URL(page.url()).search, '?predicate=riding');
    assert.equal(await page.locator('[role=grid] a').first().getAttribute('data-index'), '0');
    await page.locator('[role=grid] a').first().click();
    await page.waitForSelector('.image-view');
    const index = images[0]!.relations.findIndex(({ predicate }) => predicate === 'riding');
    await page.locator('.relations .relation').nth(index).click();
    await page.keyboard.press('e');
    await page.keyboard.type('standing on');
    await page.keyboard.press('Enter');
    await saved();
    await page.reload();
    await page.waitForSelector('.relations .state.changed:has-text("changed by Ada")');
    assert.match(await text('.relations .selected .relation'), /standing on/);
    assert.match(await text('.relations .selected .about'), /was .*riding/);
    const log = await view.get<{ edits: { who: string; what: { action: string } }[] }>('/api/edits?limit=5');
    assert.deepEqual(
      log.edits.map(({ who, what }) => [who, what.action]),
      [['Ada', 'change']],
    );
    const { reviews } = await view.get<SetInfo>('/api/set');
    const out = join(temporaryFolder(), 'corrected');
    const applied = await relflow(['apply', reviews.file, view.file, '--from', 'scene-graphs', '--out', out]);
    assert.equal(applied.code, 0, applied.stderr);
    const lines = (await readFile(join(out, 'scene-graphs', '00000.jsonl'), 'utf8')).trimEnd().split('\n');
    const corrected = lines.map((line) => JSON.parse(line) as SceneGraph);
    const said = corrected.flatMap(({ relations }) => relations.map(({ predicate }) => predicate));
    assert.equal(said.filter((predicate) => predicate === 'standing on').length, 1);
    assert.equal(said.filter((predicate) => predicate === 'riding').length, riding.length - 1);
  });

  it('goes back and forward through views, and any of them can be linked to', async () => {
    await open(variedGraphs(30));
    await page.keyboard.press('2');
    await page.waitForSelector('.charts');
    await page.locator('.bars a').first().click();
    await page.waitForSelector('.chips button');
    const link = page.url();
    await page.locator('[role=grid] a').first().press('Enter');
    await page.waitForSelector('.image-view');
    await page.keyboard.press('3');
    await page.waitForSelector('.judge');
    await page.goBack();
    await page.waitForSelector('.image-view');
    await page.goBack();
    await page.waitForSelector('.chips button');
    assert.equal(page.url(), link);
    await page.goForward();
    await page.waitForSelector('.image-view');
    const image = page.url();
    const title = await text('h1');
    await goTo('/');
    await page.goto(image);
    await page.waitForSelector('.image-view');
    assert.equal(await text('h1'), title);
  });

  it('shows where an expression is wrong, and takes it once it is right', async () => {
    const graphs = variedGraphs(30);
    await open(graphs);
    await page.keyboard.press('/');
    await page.keyboard.type('confidence >= 0.5 and wrong = 1');
    await page.waitForSelector('.expression-problem:has-text("unknown field \'wrong\'")');
    forgive(400);
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).search, '');
    await page.fill('.expression input', 'predicate = "on"');
    await page.waitForSelector('.expression-problem:empty', { state: 'attached' });
    await page.keyboard.press('Enter');
    const count = graphs.flatMap(({ relations }) => relations).filter(({ predicate }) => predicate === 'on').length;
    const images = graphs.filter(({ relations }) => relations.some(({ predicate }) => predicate === 'on')).length;
    await counted(`${images} images · ${count} relations`);
  });

  it('judges a queue with one key a relation, and takes judgments back', async () => {
    const graphs = variedGraphs(12);
    const total = graphs.reduce((sum, { relations }) => sum + relations.length, 0);
    await open(graphs);
    await goTo('/?view=review&order=random&images=12&seed=3');
    await page.waitForSelector(`.place:has-text("1 of ${total}")`);
    const keys = ['a', 'x', 'o', 's', 'a'];
    for (const [place, key] of keys.entries()) {
      await page.waitForSelector(`.place:has-text("${place + 1} of ${total}")`);
      await page.waitForSelector('.judge-scene svg');
      await page.keyboard.press(key);
    }
    await saved();
    await page.waitForSelector(`.queue-progress:has-text("5 of ${total} judged")`);
    assert.match(await text('.queue-progress'), /precision 0\.50/);
    await page.keyboard.press('u');
    await page.waitForSelector(`.queue-progress:has-text("4 of ${total} judged")`);
    await page.waitForSelector(`.place:has-text("5 of ${total}")`);
    const csv = await (await view.fetch('/api/judged.csv?order=random&images=12&seed=3')).text();
    const verdicts = csv.split('\n').map((line) => line.split(',').at(-1));
    assert.deepEqual(
      ['yes', 'no', '?'].map((word) => verdicts.filter((verdict) => verdict === word).length),
      [1, 2, 1],
    );
  });

  it('judges all relations with the same names at once, and takes that back in one step', async () => {
    const graphs = variedGraphs(12);
    const queue = 'order=random&images=12&seed=3';
    await open(graphs);
    const { items } = await view.get<Queue>(`/api/queue?${queue}&limit=200`);
    const nameOf = ({ subject, predicate, object }: Queue['items'][number]) =>
      `${subject} ${predicate} ${object}`.trim();
    // The one that comes again soonest.
    const again = items.map((item, place) => {
      const gap = items.slice(place + 1).findIndex((other) => nameOf(other) === nameOf(item));
      return gap === -1 ? Number.POSITIVE_INFINITY : gap;
    });
    const gap = Math.min(...again);
    const at = again.indexOf(gap);
    const name = nameOf(items[at]!);
    const count = items.filter((item) => nameOf(item) === name).length;
    await goTo(`/?view=review&${queue}&at=${at}`);
    await page.waitForSelector(`.place:has-text("${at + 1} of ${items.length}")`);
    await page.keyboard.press('l');
    await page.waitForSelector(
      `.alike:has-text("${count} relations “${name.replaceAll('"', '\\"')}” without a judgment")`,
    );
    await page.keyboard.press('x');
    await page.waitForSelector(`.queue-progress:has-text("${count} of ${items.length} judged")`);
    // The queue passes over those that were judged with it.
    for (let place = at + 1; place <= at + gap; place++) {
      await page.waitForSelector(`.place:has-text("${place + 1} of ${items.length}")`);
      await page.waitForSelector('.judge-scene svg');
      await page.keyboard.press('a');
    }
    const next = items.findIndex((item, place) => place > at + gap && nameOf(item) !== name);
    await page.waitForSelector(`.place:has-text("${next + 1} of ${items.length}")`);
    await page.waitForSelector(`.queue-progress:has-text("${count + gap} of ${items.length} judged")`);
    for (let undone = 0; undone < gap; undone++) await page.keyboard.press('u');
    await page.keyboard.press('u');
    await page.waitForSelector(`.queue-progress:has-text("0 of ${items.length} judged")`);
    await page.waitForSelector(`.place:has-text("${at + 1} of ${items.length}")`);
    await saved();
  });

  it('says that an edit is not saved while the server is away, and saves it when it is back', async () => {
    const graphs = variedGraphs(10);
    await open(graphs);
    const image = graphs.findIndex(({ relations }) => relations.length > 0);
    await goTo(`/?view=image&image=${image}&relation=0`);
    await page.waitForSelector('.relations .selected');
    await page.route('**/api/edits', (route) =>
      route.fulfill({ status: 500, json: { error: 'no space left', code: 'x' } }),
    );
    await page.keyboard.press('a');
    await page.waitForSelector('.save-state.problem:has-text("1 not saved: no space left")');
    assert.equal(await page.locator('.relations .state').count(), 0, 'nothing counts as approved yet');
    await page.unroute('**/api/edits');
    await page.click('.save-state button');
    await saved();
    await page.waitForSelector('.relations .state.approved');
    forgive(500);
  });

  it('lists compared images under a filter by review, and follows the edits of others', async () => {
    const graphs = variedGraphs(10);
    await open(graphs, 1400, { compare: await setOf(variedGraphs(8)) });
    await goTo('/?view=compare&review=approved');
    await page.waitForSelector('.compare h2:has-text("0 in all")');
    const image = graphs.findIndex(({ relations }) => relations.length > 0);
    const { subject, predicate, object } = graphs[image]!.relations[0]!;
    const edit = { id: randomUUID(), image, relation: { subject, predicate, object }, what: { action: 'approve' } };
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
    assert.equal((await view.fetch('/api/edits', { ...init, body: JSON.stringify({ edits: [edit] }) })).status, 200);
    await page.waitForSelector('.compare h2:has-text("1 in all")');
    assert.equal(await text('.compare-list .file'), graphs[image]!.image.file);
  });

  it('draws a new relation from box to box', async () => {
    const graph = variedGraphs(3).find(({ objects }) => objects.length >= 2)!;
    const boxes = [
      [5, 5, 20, 20],
      [60, 60, 25, 25],
    ] as const;
    const objects = boxes.map((box, index) => ({
      ...graph.objects[index]!,
      box: [...box] as [number, number, number, number],
    }));
    await open([{ ...graph, objects, relations: [] }]);
    await goTo('/?view=image&image=0');
    await page.waitForSelector('.scene .box');
    await page.keyboard.press('d');
    const [from, to] = await Promise.all(
      [0, 1].map(async (index) => (await page.locator('.scene .box').nth(index).boundingBox())!),
    );
    await page.mouse.move(from!.x + from!.width / 2, from!.y + from!.height / 2);
    await page.mouse.down();
    await page.mouse.move(to!.x + to!.width / 2, to!.y + to!.height / 2, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.type('waving at');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.relations .state.added');
    const names = objects.map(({ category }, index) => `${index} ${category}`);
    assert.equal(
      await page.locator('.relations .relation').getAttribute('aria-label'),
      `${names[0]} waving at ${names[1]}, added`,
    );
  });

  it('runs nothing of hostile captions, categories, predicates and file names', async () => {
    await open(hostileGraphs());
    for (const path of [
      '/',
      '/?view=charts',
      '/?view=review',
      '/?view=image&image=1&relation=0',
      '/?view=image&image=4',
    ]) {
      await goTo(path);
      await page.waitForSelector('main > *');
      await page.waitForLoadState('networkidle');
      assert.equal(await page.evaluate('globalThis.hacked'), undefined);
      assert.equal(await page.evaluate('document.scripts.length'), 1);
      assert.equal(
        await page.locator('main [onerror], main [onload], main script, main a[href^="javascript"]').count(),
        0,
      );
    }
    assert.ok((await text('.captions')).includes('onload=globalThis.hacked=1'));
  });

  it('scrolls through a million images, of which it draws only those that can be seen', async () => {
    await open(variedGraphs(5));
    const card = (await view.get<ImagePage>('/api/images?limit=1')).images[0]!;
    await page.route('**/api/images?*', (route) => {
      const query = new URL(route.request().url()).searchParams;
      const offset = Number(query.get('offset'));
      const images = Array.from({ length: Number(query.get('limit')) }, (_, at) => ({
        ...card,
        key: offset + at,
        file: `${offset + at}.jpg`,
      }));
      return route.fulfill({ json: { images, total: 1_000_000, offset, isPartial: false } satisfies ImagePage });
    });
    await goTo('/?sort=file');
    await page.waitForSelector('.file:text-is("0.jpg")');
    await page.keyboard.press('End');
    await page.waitForSelector('.file:text-is("999999.jpg")');
    assert.ok((await page.locator('[role=gridcell]').count()) < 100);
    await page.keyboard.press('Home');
    await page.waitForSelector('.file:text-is("0.jpg")');
    const scroll = (share: number) =>
      page.evaluate(
        `{ const grid = document.querySelector('.grid-scroller'); grid.scrollTop = ${share} * grid.scrollHeight; }`,
      );
    await scroll(0.5);
    await page.waitForSelector('.file:text-matches("^50[0-9]{4}.jpg$")');
    // A wheel moves by a row or two, not by thousands.
    await sleep(300);
    const first = async () => Number((await page.locator('.tile .file').first().innerText()).replace('.jpg', ''));
    const before = await first();
    await page.mouse.move(900, 500);
    await page.mouse.wheel(0, 400);
    await sleep(500);
    const after = await first();
    assert.ok(after > before && after < before + 40, `${before} to ${after}`);
  });

  it('fits on a phone', async () => {
    await open(variedGraphs(30), 390);
    for (const path of ['/', '/?view=charts', '/?view=review', '/?view=image&image=3&relation=0']) {
      await goTo(path);
      await page.waitForSelector('main > *');
      await page.waitForLoadState('networkidle');
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, path);
    }
  });

  it('has names for all its controls, and an overview of its keys', async () => {
    await open(variedGraphs(10));
    for (const path of ['/', '/?view=charts', '/?view=review', '/?view=image&image=3&relation=0']) {
      await goTo(path);
      await page.waitForLoadState('networkidle');
      const nameless = await page.evaluate(`[...document.querySelectorAll('button, a, input, select')]
        .filter((element) => !(element.getAttribute('aria-label') || element.textContent.trim() || element.labels?.length))
        .map((element) => element.outerHTML)`);
      assert.deepEqual(nameless, [], path);
      await page.keyboard.press('?');
      await page.waitForSelector('dialog[open] kbd');
      await page.keyboard.press('Escape');
      await page.waitForSelector('dialog', { state: 'detached' });
    }
  });
});

describe('the colors of the page', () => {
  it('have the contrast of WCAG AA, light and dark', async () => {
    const css = await readFile('src/view/page/style/colors.css', 'utf8');
    const themes = css.split(':root').slice(1);
    assert.equal(themes.length, 3);
    for (const theme of themes) {
      const color = (name: string): number => {
        const [, hex] = new RegExp(`--${name}: #([0-9a-f]{6})`).exec(theme)!;
        const [r, g, b] = [0, 2, 4].map((at) => {
          const share = Number.parseInt(hex!.slice(at, at + 2), 16) / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
      };
      const contrast = (a: string, b: string): number => {
        const [low, high] = [color(a), color(b)].sort((x, y) => x - y);
        return (high! + 0.05) / (low! + 0.05);
      };
      const grounds = ['page', 'panel', 'sunk', 'accent-soft'];
      for (const ground of grounds)
        for (const ink of ['ink', 'muted', 'accent', 'good', 'bad', 'doubt'])
          assert.ok(contrast(ink, ground) >= 4.5, `${ink} on ${ground}: ${contrast(ink, ground).toFixed(2)}`);
      assert.ok(contrast('bad', 'bad-soft') >= 4.5);
      assert.ok(contrast('ink', 'mark') >= 4.5);
      // Edges of boxes to write in, and lines that mean something.
      for (const line of ['line-strong', 'subject', 'object'])
        for (const ground of ['page', 'panel'])
          assert.ok(contrast(line, ground) >= 3, `${line} on ${ground}: ${contrast(line, ground).toFixed(2)}`);
    }
  });
});
