import assert from 'node:assert/strict';
import { join } from 'node:path';
import { EndpointError } from '../../src/index.js';
import { captionAll, checkRetries } from '../support/caption-images.js';
import { imageFolder } from '../support/image-folder.js';
import { ModelServer } from '../support/model-server.js';

describe('hfChat under faults', () => {
  it('captions 200 images, a fifth of which fail at first, each exactly once and within the rate', () =>
    checkRetries(200, ['rate-limit', 'unavailable', 'error', 'slow', 'cut', 'invalid-json', 'wrong-shape'], 5));

  it('stops asking a server that does not answer', async () => {
    const server = await ModelServer.start();
    const { folder, images } = await imageFolder(8);
    const url = server.url;
    await server.close();
    const { errors } = await captionAll(images, { endpointUrl: url, images: folder, store: join(folder, 'store') });
    for (const error of errors) {
      assert.ok(error instanceof EndpointError);
      assert.match(
        error.message,
        /^hf-chat: no answer from http:\/\/127\.0\.0\.1:\d+: ECONNREFUSED \(after \d+ requests, 0 of them answered/,
      );
    }
  });
});
