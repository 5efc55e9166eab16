import { Presets, SingleBar } from 'cli-progress';
import type { RunProgress } from '../index.js';
import type { OutputStream } from './command-context.js';

/** Shows the progress of a run. */
export interface ProgressDisplay {
  update(progress: RunProgress): void;
  /** Removes the bar. */
  end(): void;
}

const SECONDS_BETWEEN_LINES = 5;
const MILLISECONDS_BETWEEN_FRAMES = 100;

/** Shows a bar with the remaining time on a terminal, or else prints one line of JSON every few seconds. */
export function progressDisplay(stream: OutputStream, quiet: boolean): ProgressDisplay {
  if (quiet) return { update: () => {}, end: () => {} };
  return stream.isTTY ? bar(stream) : lines(stream);
}

const VERBS = { checking: 'checking inputs', reading: 'reading', records: 'images' } as const;

function bar(stream: OutputStream): ProgressDisplay {
  const display = new SingleBar(
    { format: '{what} [{bar}] {percentage}% {amount} {rate} {left}', hideCursor: true, stream },
    Presets.shades_classic,
  );
  let phase: RunProgress['phase'] | null = null;
  let last = 0;
  let started = { at: 0, done: 0 };
  return {
    update: (progress) => {
      const now = performance.now();
      if (progress.phase === 'finishing') return;
      if (progress.phase === phase && now - last < MILLISECONDS_BETWEEN_FRAMES) return;
      const total = progress.total ?? 0;
      if (progress.phase !== phase) {
        if (phase) display.stop();
        phase = progress.phase;
        started = { at: now, done: progress.done };
        display.start(total, progress.done, { what: VERBS[phase], amount: '', rate: '', left: '' });
      }
      last = now;
      const rate = now > started.at ? ((progress.done - started.done) / (now - started.at)) * 1000 : 0;
      const bytes = phase === 'reading' || phase === 'checking';
      display.setTotal(Math.max(total, progress.done));
      display.update(progress.done, {
        amount: bytes ? `${mega(progress.done)}/${mega(total)} MB` : `${progress.done}/${progress.total ?? '?'}`,
        rate: bytes ? `${mega(rate)} MB/s` : `${rate.toFixed(0)}/s`,
        left: rate > 0 && total > 0 ? `${duration((total - progress.done) / rate)} left` : '',
      });
    },
    end: () => {
      if (phase) display.stop();
      phase = null;
    },
  };
}

/** Formats seconds as `42 s`, `3 min` or `2 h 5 min`. */
function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function mega(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function lines(stream: OutputStream): ProgressDisplay {
  let last = performance.now();
  let started: { phase: RunProgress['phase']; at: number; done: number } | null = null;
  return {
    update: (progress) => {
      const { phase, done, total } = progress;
      const at = performance.now();
      // A resumed run starts with the records of the earlier process, which do not count for this one's speed.
      if (started?.phase !== phase) started = { phase, at, done };
      if (at - last < SECONDS_BETWEEN_LINES * 1000) return;
      const perSecond = at > started.at ? ((done - started.done) / (at - started.at)) * 1000 : 0;
      const left = total === null || perSecond <= 0 ? null : (total - done) / perSecond;
      const event = { event: 'progress', ...progress, perSecond: round(perSecond), etaSeconds: left && round(left) };
      stream.write(`${JSON.stringify(event)}\n`);
      last = at;
      started = { phase, at, done };
    },
    end: () => {},
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
