/**
 * Normalizes a path to a relative path with forward slashes that stays within its folder, or returns null if it might
 * not do so on some system: absolute paths, drives, URLs, control characters, and segments of dots (some systems read
 * those as `..` even when spaces follow). A leading `./` is removed. A colon before a space is part of a name.
 */
export function safeRelativePath(path: string): string | null {
  const below = path.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '');
  const isUnsafe =
    /^\/|^[a-z][a-z0-9+.-]*:(?! )|\p{Cc}/iu.test(below) || below.split('/').some((segment) => /^\.+ *$/.test(segment));
  return isUnsafe ? null : below;
}
