// Blocks beside and below one another: shelves of about the wanted proportion.
/** Part of a picture: kids at places relative to its corner. `x` and `y` are given by `pack`. */
export interface Block {
  x: number;
  y: number;
  w: number;
  h: number;
  places: { kid: number; x: number; y: number }[];
  /** Bends of edges between kids: x, y, x, y, ... */
  bends: { pair: number; points: number[] }[];
}

/** Place blocks in rows, in their order; returns the size of all. */
export function pack(blocks: Block[], aspect: number, gapX: number, gapY: number): { w: number; h: number } {
  const area = blocks.reduce((sum, block) => sum + (block.w + gapX) * (block.h + gapY), 0);
  const width = blocks.reduce((most, block) => Math.max(most, block.w), Math.sqrt(area * aspect));
  let x = 0;
  let y = 0;
  let rowHeight = 0;
  let w = 0;
  for (const block of blocks) {
    if (x > 0 && x + block.w > width) {
      x = 0;
      y += rowHeight + gapY;
      rowHeight = 0;
    }
    block.x = x;
    block.y = y;
    x += block.w + gapX;
    w = Math.max(w, x - gapX);
    rowHeight = Math.max(rowHeight, block.h);
  }
  return { w, h: y + rowHeight };
}
