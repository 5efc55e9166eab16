import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sceneGraphLines } from '../../src/index.js';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import { type StartViewOptions, startView, type View } from '../../src/view/server/start-view.js';
import { type ViewSet, viewSource } from '../../src/view/server/view-set.js';
import { temporaryFolder } from './folders.js';
import { writeLines } from './graph-lines.js';

/** A server over scene graphs, and requests to it as its page sends them. */
export class TestView {
  readonly view: View;
  readonly file: string;

  constructor(view: View, file: string) {
    this.view = view;
    this.file = file;
  }

  /** Sends a request with the token; a path begins with `/`. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.view.port}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${this.view.token}`, ...init.headers },
    });
  }

  /** Returns the JSON of a reply with status 200. */
  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    const text = await response.text();
    assert.equal(response.status, 200, `${path}: ${text}`);
    return JSON.parse(text) as T;
  }
}

/** Starts a server over scene graphs, whose index is complete. */
export async function viewOf(graphs: readonly SceneGraph[], options: StartViewOptions = {}): Promise<TestView> {
  const set = await setOf(graphs);
  const view = await startView(set, { cache: join(temporaryFolder(), 'cache'), ...options });
  await view.completion;
  return new TestView(view, set.path);
}

/** Writes scene graphs to a file and opens it. */
export async function setOf(graphs: readonly SceneGraph[]): Promise<ViewSet> {
  const file = join(temporaryFolder(), 'graphs.jsonl');
  await writeLines(file, graphs);
  return viewSource(file, sceneGraphLines({ sceneGraphs: file }));
}
