/** Numbers, times and sentences of a chart, in the page's language. The server says the same in `web/explorer/words.py`. */
import { language, zone } from './page';
import type { Stream } from './seriesPlot';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const MONTH = 30 * DAY;

export type Texts = Record<string, string>;

/** A text of the panel; `%s` in it is replaced by the value. */
export function tell(texts: Texts, name: string, value = ''): string {
  return (texts[name] ?? name).replace('%s', value);
}

/** A number with no more figures than a mean can bear; `exact`: with all of them. */
export function sayValue(value: number, exact = false): string {
  const whole = Math.abs(value) >= 1 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 0;
  const digits = exact ? 10 : Math.abs(value) >= 0.001 ? Math.max(0, 4 - whole) : 6;
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** A value of a stream with its unit. */
export function sayFigure(value: number, stream: Stream, exact = !stream.width): string {
  const told = sayValue(stream.kind === 'boolean' ? value * 100 : value, exact);
  return stream.unitText ? `${told}\u202f${stream.unitText}` : told;
}

/** Day and time by the city's clock, as finely as `step` seconds ask for. */
export function sayMoment(seconds: number, step: number): string {
  const day: Intl.DateTimeFormatOptions = { day: '2-digit', month: '2-digit', year: 'numeric', timeZone: zone };
  const options: Intl.DateTimeFormatOptions =
    step >= DAY ? day : { ...day, hour: '2-digit', minute: '2-digit', ...(step < MINUTE ? { second: '2-digit' } : {}) };
  if (step < 1) options.fractionalSecondDigits = 3;
  return new Intl.DateTimeFormat(language, step >= MONTH ? { month: 'long', year: 'numeric', timeZone: zone } : options).format(
    seconds * 1000,
  );
}

/** What stands at a mark of the time axis, `step` seconds from the next one; at midnight the day as well. */
export function sayTick(seconds: number, step: number): string {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { timeZone: zone, ...options }).format(seconds * 1000);
  if (step >= 360 * DAY) return format({ year: 'numeric' });
  if (step >= 28 * DAY) return format({ month: 'short', year: '2-digit' });
  const day = format({ day: 'numeric', month: 'numeric' });
  if (step >= DAY) return day;
  const clock = format({
    hour: '2-digit',
    minute: '2-digit',
    ...(step < MINUTE ? { second: '2-digit' } : {}),
    ...(step < 1 ? { fractionalSecondDigits: 3 } : {}),
  });
  return /^0?0:00(:00)?$/.test(clock) ? day : clock;
}

const LENGTHS: [number, string][] = [
  [12 * MONTH, 'year'],
  [MONTH, 'month'],
  [7 * DAY, 'week'],
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
  [1, 'second'],
  [0, 'millisecond'],
];

/** How long a bucket is: "1 hour". */
export function sayWidth(seconds: number): string {
  const [length, unit] = LENGTHS.find(([least]) => seconds >= least)!;
  const options: Intl.NumberFormatOptions = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 3 };
  return new Intl.NumberFormat(language, options).format(seconds / (length || 0.001));
}

/** How a stream's values came about. */
export function sayMethod(texts: Texts, stream: Stream): string {
  if (!stream.width) return tell(texts, stream.method === 'held' ? 'held' : 'values');
  const name = stream.kind === 'category' ? 'frequent' : stream.method === 'held' ? 'weighted' : 'readings';
  return tell(texts, name, sayWidth(stream.width));
}

/** A value in words, with what is to be known of it. */
export function sayAt(stream: Stream, at: number, texts: Texts): string {
  if (stream.kind === 'category') {
    const word = stream.words?.[at] ?? tell(texts, 'none');
    const share = stream.shares?.[at];
    return share != null && share < 1 ? `${word} (${Math.round(share * 100)}\u202f%)` : word;
  }
  const value = stream.mean[at];
  if (value == null) return tell(texts, 'none');
  const low = stream.low[at];
  const high = stream.high[at];
  const between =
    stream.width && stream.kind === 'number' && low != null && high != null && low !== high
      ? ` (${sayFigure(low, stream, true)} – ${sayFigure(high, stream, true)})`
      : '';
  const doubt = stream.flagged?.[at] ? `, ${tell(texts, 'implausible')}` : '';
  return `${sayFigure(value, stream)}${between}${doubt}`;
}
