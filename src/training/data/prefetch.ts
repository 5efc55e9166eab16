/**
 * What becomes of items, in their order. Of up to `depth` items the work has begun before they are asked for, while the
 * consumer is busy with others.
 */
export async function* prefetch<T, R>(
  items: AsyncGenerator<T, void>,
  depth: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const waiting: Promise<IteratorResult<R, void>>[] = [];
  const ask = () => {
    const next = items
      .next()
      .then(async (item) => (item.done ? item : { done: false as const, value: await work(item.value) }));
    // Who takes it sees the error; until then it is no unhandled one.
    next.catch(() => {});
    waiting.push(next);
  };
  try {
    for (;;) {
      while (waiting.length <= depth) ask();
      const item = await waiting.shift()!;
      if (item.done) return;
      yield item.value;
    }
  } finally {
    await Promise.allSettled(waiting);
    await items.return();
  }
}
