/** Returns a shard's number as file names have it: five digits or more. */
export const shardNumber = (shard: number): string => String(shard).padStart(5, '0');
