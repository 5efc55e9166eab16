/** A process of `teach`: trains one teacher, says what it makes of captions, and ends. */
import { RelationLabels } from '../learned/relation-labels.js';
import { readEncoder } from './encoder-weights.js';
import { Teacher } from './teacher.js';
import type { TeacherMessage, TeacherTask } from './teachers.js';

/** Captions of one message. */
const atOnce = 2048;

const send = (message: TeacherMessage) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

process.once('message', async ({ encoder, labels, options, examples, captions }: TeacherTask) => {
  const teacher = new Teacher(await readEncoder(encoder), new RelationLabels(labels), options);
  teacher.train(examples, (epoch, losses) => void send({ epoch, losses }));
  for (let k = 0; k < captions.length; k += atOnce)
    await send({ labelled: teacher.label(captions.slice(k, k + atOnce)) });
  await send({ isDone: true });
  process.exit(0);
});
