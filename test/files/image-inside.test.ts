import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImageFiles } from '../../src/captioners/image-files.js';
import { imageInside } from '../../src/files/image-inside.js';
import { temporaryFolder } from '../support/folders.js';
import { imageRecord } from '../support/records.js';

describe('imageInside', () => {
  const folder = temporaryFolder();
  const outside = temporaryFolder();
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub/1.jpg'), 'one');
  writeFileSync(join(outside, '2.jpg'), 'two');
  symlinkSync(join(folder, 'sub'), join(folder, 'inside'));
  symlinkSync(outside, join(folder, 'away'));
  symlinkSync(join(outside, '2.jpg'), join(folder, '2.jpg'));
  const whole = join(temporaryFolder(), 'whole');
  symlinkSync(outside, whole);

  it('finds images in the folder, through links within it and a link to it', async () => {
    for (const file of ['sub/1.jpg', 'inside/1.jpg', './sub/1.jpg', 'none.jpg'])
      assert.equal(await imageInside(folder, file), join(folder, file));
    assert.equal(await imageInside(whole, '2.jpg'), join(whole, '2.jpg'));
    assert.equal(await imageInside([folder, whole], 'sub/1.jpg'), join(folder, 'sub/1.jpg'));
  });

  it('refuses names and links that lead out of the folder', async () => {
    for (const file of ['../x.jpg', '/etc/passwd', 'sub/../../x.jpg', 'C:\\x.jpg', 'file:///etc/passwd', 'a\0.jpg'])
      await assert.rejects(imageInside(folder, file), { reason: 'unsafe-path' }, file);
    for (const file of ['2.jpg', 'away/2.jpg'])
      await assert.rejects(imageInside(folder, file), { reason: 'image-outside-folder' }, file);
    const { image } = imageRecord(2);
    await assert.rejects(new ImageFiles('test', folder).read(image), { reason: 'image-outside-folder' });
  });

  it('follows links when the user says so', async () => {
    process.env['RELFLOW_FOLLOW_LINKS'] = '1';
    try {
      assert.equal(await imageInside(folder, '2.jpg'), join(folder, '2.jpg'));
      await assert.rejects(imageInside(folder, '../x.jpg'), { reason: 'unsafe-path' });
    } finally {
      process.env['RELFLOW_FOLLOW_LINKS'] = '';
    }
  });
});
