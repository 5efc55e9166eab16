import { safeRelativePath } from './safe-relative-path.js';

/** The path of an image as annotation files write it: relative, absolute, of Windows, or a URL. */
export interface ImagePath {
  /** The path within an image folder, if no folder is searched: a relative path, or the base name of any other path. */
  readonly file: string;
  /** All segments of the path that can be within an image folder. */
  readonly whole: string;
  /** True if the path is not relative to an image folder, so that `file` is a base name. */
  readonly outside: boolean;
}

/** The maximum length of a path in characters, which is that of Linux, and of segments that are names. */
const maxLength = 4096;
const maxDepth = 64;

/** A relative path of common characters, whose segments are names. */
const simplePath = /^\w[\w.-]*(?:\/\w[\w.-]*)*$/;

/**
 * Splits the path of an image. Segments `..` are resolved; those that leave the folder are dropped, and so are drives,
 * hosts, queries of URLs, and what precedes the path in Label Studio's `/data/local-files/?d=folder/1.jpg`. Returns null
 * for a path without a base name, of more than 4096 characters or 64 folders, for data URLs, and for control characters.
 */
export function imagePath(written: string): ImagePath | null {
  if (written.length > maxLength) return null;
  // Most paths, without the work of the others.
  const isShallow = written.length < 2 * maxDepth || written.split('/').length <= maxDepth;
  if (isShallow && simplePath.test(written)) return { file: written, whole: written, outside: false };
  // Label Studio: the path relative to the folder that it serves.
  const local = /(?:\/local-files|\/|^)\?d=([^&#]+)/.exec(written)?.[1];
  const url = /^(?:[a-z][a-z0-9+.-]+:)?\/\/[^/]*\/|^(?!data:)[a-z][a-z0-9+.-]+:\/+/i.exec(written)?.[0];
  const path =
    local !== undefined
      ? decodeUrl(local)
      : url !== undefined && written.includes(':')
        ? decodeUrl(written.slice(url.length).replace(/[?#].*$/, ''))
        : written;
  if (/\p{Cc}|^data:/iu.test(path)) return null;
  const slashed = path.replaceAll('\\', '/').replace(/^[a-z]:(?! )/i, '/');
  let outside = slashed.startsWith('/') || (url !== undefined && local === undefined);
  const segments: string[] = [];
  for (const segment of slashed.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && segments.length > 0) segments.pop();
    else if (/^\.+ *$/.test(segment)) {
      // Above the folder, or a name of dots, which some systems read as `..`.
      outside = true;
      segments.length = 0;
    } else segments.push(segment);
  }
  const name = segments.at(-1);
  if (name === undefined || slashed.endsWith('/') || segments.length > maxDepth) return null;
  const whole = safeRelativePath(segments.join('/'));
  const base = safeRelativePath(name);
  if (base === null) return null;
  if (outside || whole === null) return { file: base, whole: whole ?? base, outside: true };
  return { file: whole, whole, outside };
}

/** Returns the shorter paths of an image that still end with its base name, the longest first: `b/1.jpg`, `1.jpg`. */
export function pathTails({ whole }: ImagePath): string[] {
  const segments = whole.split('/');
  const tails = segments.slice(1).map((_, index) => segments.slice(index + 1).join('/'));
  const trimmed = segments.at(-1)!.trim();
  return trimmed === '' || trimmed === segments.at(-1) ? tails : [...tails, trimmed];
}

function decodeUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
