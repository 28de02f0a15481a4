/** A rectangle by its middle, in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const ROUNDS = 40;

/** The same boxes pushed apart until none covers another, each moved as little as that takes. */
export function spread(boxes: readonly Box[]): Box[] {
  const moved = boxes.map((box) => ({ ...box }));
  for (let round = 0; round < ROUNDS; round += 1) {
    let calm = true;
    for (let i = 0; i < moved.length; i += 1) {
      for (let j = i + 1; j < moved.length; j += 1) {
        if (push(moved[i]!, moved[j]!)) calm = false;
      }
    }
    if (calm) break;
  }
  return moved;
}

/** Push two boxes apart along the shorter way; true if they overlapped. */
function push(a: Box, b: Box): boolean {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const overX = (a.width + b.width) / 2 - Math.abs(dx);
  const overY = (a.height + b.height) / 2 - Math.abs(dy);
  if (overX <= 0.5 || overY <= 0.5) return false;
  if (overX < overY) {
    const step = (overX / 2) * (dx < 0 ? -1 : 1);
    a.x -= step;
    b.x += step;
  } else {
    const step = (overY / 2) * (dy < 0 ? -1 : 1);
    a.y -= step;
    b.y += step;
  }
  return true;
}
