/** What the page says of itself: language, texts, zone, colours, the server's clock. */

export const language = document.documentElement.lang || 'de';
export const zone = document.body.dataset.zone || 'Europe/Berlin';

const texts: Record<string, string> = JSON.parse(document.getElementById('texts')?.textContent ?? '{}');

/** A text in the page's language; `%s` in it is replaced by the value. */
export function say(name: string, value = ''): string {
  return (texts[name] ?? name).replace('%s', value);
}

const numbers = new Intl.NumberFormat(language);

/** A whole number with the language's separators. */
export function sayNumber(value: number): string {
  return numbers.format(Math.round(value));
}

/** Hours and minutes in the city's zone. */
export function sayTime(moment: Date): string {
  return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', timeZone: zone }).format(moment);
}

/** A colour from the stylesheet's custom properties as it is now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls when light and dark change. */
export function onTheme(call: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', call);
  document.addEventListener('allmende:theme', call);
}

/** Whether the reader asked for less motion. */
export function still(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

let ahead = 0;

const STALE = 90_000;

/**
 * Take the server's moment from the page, so that a wrong clock on this device does not make values old or new.
 * A page that is not `fresh` and lags behind the device was perhaps kept by the browser for hours: its moment is not
 * believed then. False if so; whoever can should ask the server again.
 */
export function learnClock(fresh: boolean): boolean {
  const said = document.querySelector<HTMLElement>('[data-now]')?.dataset.now;
  if (!said) return true;
  const difference = Date.parse(said) - Date.now();
  if (!fresh && difference < -STALE) return false;
  ahead = difference;
  return true;
}

/** Now by the server's clock, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + ahead;
}
