import { nativePackage } from '../../src/model/backends/start-native-backend.js';
import { useBackend } from '../../src/model/backends/use-backend.js';

/** Starts the backend tensorflow with two threads, or skips the tests of a suite where its package is not installed. */
export async function useNativeBackend(this: Mocha.Context): Promise<void> {
  if (nativePackage() === undefined) {
    console.log('      skipped: @tensorflow/tfjs-node is not installed, see docs/backends.md');
    this.skip();
  }
  await useBackend('tensorflow', { threads: 2 });
}
