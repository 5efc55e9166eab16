/** Maps items in order, starting up to `depth` items ahead of the consumer. */
export async function* prefetch<T, R>(
  items: AsyncGenerator<T, void>,
  depth: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const inFlight: Promise<IteratorResult<R, void>>[] = [];
  const start = () => {
    const next = items
      .next()
      .then(async (item) => (item.done ? item : { done: false as const, value: await map(item.value) }));
    // The consumer receives the error; until then it must not count as unhandled.
    next.catch(() => {});
    inFlight.push(next);
  };
  try {
    for (;;) {
      while (inFlight.length <= depth) start();
      const item = await inFlight.shift()!;
      if (item.done) return;
      yield item.value;
    }
  } finally {
    await Promise.allSettled(inFlight);
    await items.return();
  }
}
