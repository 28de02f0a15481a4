/** What the server says of a layer, and into which class a value falls. */
import type { Feature, FeatureCollection, Geometry } from 'geojson';

export interface Said {
  id: string;
  name: string;
  value?: string | number | boolean | null;
  text?: string;
  time?: string | null;
  flag?: string;
}

export type Thing = Feature<Geometry, Said>;

export interface Scale {
  numbers: boolean;
  breaks: number[];
  names: string[];
  /** Of the classes from the lowest on; the last is "no value". */
  labels: string[];
  counts: number[];
  title: string;
}

export interface Things extends FeatureCollection<Geometry, Said> {
  layer: string;
  at: string | null;
  capped: boolean;
  simulated: boolean;
  scale: Scale;
}

export interface Values {
  at: string | null;
  capped: boolean;
  values: Record<string, [Said['value'], string, string | null]>;
}

/** The place of a value among the labels. */
export function classOf(scale: Scale, value: Said['value']): number {
  const none = scale.labels.length - 1;
  if (value === undefined || value === null) return none;
  if (!scale.numbers) {
    const place = scale.names.indexOf(String(value));
    return place < 0 ? scale.names.length : place;
  }
  if (typeof value !== 'number') return none;
  let place = 0;
  while (place < scale.breaks.length && value >= scale.breaks[place]!) place += 1;
  return place;
}

/** Put the values of another time in place of those that are there. */
export function take(things: Things, then: Values): void {
  things.at = then.at;
  for (const { properties } of things.features) {
    const known = then.values[properties.id];
    [properties.value, properties.text, properties.time] = known ?? [undefined, undefined, undefined];
    delete properties.flag;
  }
  const { scale } = things;
  scale.counts = scale.labels.map(() => 0);
  for (const { properties } of things.features) scale.counts[classOf(scale, properties.value)]! += 1;
}

/** What an address answers; an answer that is no longer wanted is `null`. */
export async function ask<T>(url: string, params: URLSearchParams, signal?: AbortSignal): Promise<T | null> {
  try {
    const response = await fetch(`${url}?${params}`, { signal });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}
