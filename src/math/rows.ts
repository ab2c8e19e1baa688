/** Rows of numbers that grow a block at a time: nothing is copied, and only blocks in use take memory. */
export interface Rows<Block> {
  /** The array that holds the row, from `at(row)` on. */
  block(row: number): Block;
  at(row: number): number;
}

/** Rows a block, as a power of 2. */
const BLOCK_BITS = 8;

export function createRows<Block>(width: number, create: (length: number) => Block): Rows<Block> {
  const blocks: Block[] = [];
  return {
    block(row) {
      const index = row >> BLOCK_BITS;
      while (blocks.length <= index) blocks.push(create(width << BLOCK_BITS));
      return blocks[index];
    },
    at: (row) => (row & ((1 << BLOCK_BITS) - 1)) * width,
  };
}
