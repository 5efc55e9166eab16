/** Returns whether a path is that of an uncompressed tar file. */
export const isTarFile = (path: string): boolean => /\.tar$/i.test(path);
