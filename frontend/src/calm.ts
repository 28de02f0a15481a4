/** Whether this reader has stopped what moves by itself, on all pages of this visit. */
const NAME = 'allmende.paused';

export function isPaused(): boolean {
  try {
    return sessionStorage.getItem(NAME) === '1';
  } catch {
    return false; // a browser that keeps nothing
  }
}

export function setPaused(paused: boolean): void {
  try {
    if (paused) sessionStorage.setItem(NAME, '1');
    else sessionStorage.removeItem(NAME);
  } catch {
    // It holds for this page alone then.
  }
}
