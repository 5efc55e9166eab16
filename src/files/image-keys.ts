/** The path of an image file as people write it in keys, in a form that can be compared. */
export interface ImagePath {
  /** Folders and file name without extension, in lower case. */
  readonly segments: readonly string[];
  /** The extension in lower case; empty if the path has none that images have. */
  readonly extension: string;
  /** The last segment. */
  readonly stem: string;
}

const extensions = 'jpe?g|jfif|png|bmp|gif|webp|tiff?|jp2|heic|avif|p[bgp]m';
const imageExtension = new RegExp(`\\.(${extensions})$`);
/** Roboflow's export renames `a.jpg` to `a_jpg.rf.<hash>.jpg`. */
const roboflowSuffix = new RegExp(`_(?:${extensions})\\.rf\\.[0-9a-z]{8,}$`);
/** What URLs, and lists such as Flickr8k's, have after a file name: `?size=2`, `#0`. */
const afterExtension = new RegExp(`(\\.(?:${extensions}))[?#].*$`);

/** Reads a relative or absolute path, a URL or a bare file name, with `/` or `\`, with or without extension. */
export function readImagePath(written: string): ImagePath {
  const path = written.trim().normalize('NFC').toLowerCase().replaceAll('\\', '/').replace(afterExtension, '$1');
  const extension = imageExtension.exec(path)?.[1] ?? '';
  const bare = (extension === '' ? path : path.slice(0, -extension.length - 1)).replace(roboflowSuffix, '');
  const segments = bare.split('/').filter((segment) => segment !== '' && segment !== '.');
  return { segments, extension: extension === 'jpeg' ? 'jpg' : extension, stem: segments.at(-1) ?? '' };
}

/**
 * Returns how well the paths of a key and of an image agree, or null if they are different files: one must be the end
 * of the other. Lower is better: 0 with equal extensions, 1 if one has none, 2 with different ones.
 */
export function comparePaths(key: ImagePath, image: ImagePath): { rank: number; length: number } | null {
  const length = Math.min(key.segments.length, image.segments.length);
  if (length === 0) return null;
  for (let i = 1; i <= length; i++) if (key.segments.at(-i) !== image.segments.at(-i)) return null;
  const hasBoth = key.extension !== '' && image.extension !== '';
  return { rank: key.extension === image.extension ? 0 : hasBoth ? 2 : 1, length };
}

/**
 * Returns the number of an image that its padded name contains, as in `000000391895`, `coco_391895` or
 * `COCO_val2014_000000391895`; undefined for other names.
 */
export function numberOfName(stem: string): number | undefined {
  const digits = /^(?:coco_(?:[a-z]+\d*_)?)?(\d{1,15})$/.exec(stem)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Returns whether a name for which `numberOfName` returns a number is an id with padding or a prefix, not a plain number. */
export function isPaddedName(stem: string): boolean {
  return /^(?:0\d|coco_)/.test(stem);
}
