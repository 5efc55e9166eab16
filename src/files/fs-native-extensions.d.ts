/** What relflow calls of fs-native-extensions, which has no types. */
declare module 'fs-native-extensions' {
  const extensions: {
    /**
     * Locks bytes of an open file exclusively until it is closed.
     * @returns false when another open file has locked them
     */
    tryLock(fd: number, offset: number, length: number): boolean;
  };
  export default extensions;
}
