import { existsSync } from 'node:fs';
import type { Browser, BrowserContext } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts Chromium without a window; returns null and says why in the test's output where there is none. */
export async function startBrowser(): Promise<Browser | null> {
  const executablePath = PATHS.find((path) => existsSync(path));
  const playwright = await import('playwright-core').catch(() => null);
  if (!executablePath || !playwright) {
    console.log(`      skipped: ${executablePath ? 'playwright-core' : 'chromium'} is not installed`);
    return null;
  }
  // The tests may run as root, where Chromium has no sandbox.
  return playwright.chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** What went wrong in the pages of a context, and which servers they asked. */
export interface Watched {
  /** Origins of all requests. */
  readonly origins: Set<string>;
  /** Errors of scripts, refused loads, dialogs. */
  readonly problems: string[];
}

/** Notes what the pages of a context do. */
export function watch(context: BrowserContext): Watched {
  const watched: Watched = { origins: new Set(), problems: [] };
  context.on('request', (request) => watched.origins.add(new URL(request.url()).origin));
  context.on('weberror', (error) => watched.problems.push(String(error.error().stack)));
  context.on('dialog', (dialog) => {
    watched.problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('console', (message) => {
    // Pictures may be missing: the page draws boxes without them.
    if (message.type() === 'error' && !message.text().includes('status of 404')) watched.problems.push(message.text());
  });
  return watched;
}
