/**
 * What all maps of the pages have in common: how they are moved and named, the city's ground in the stylesheet's
 * colours, and the sentence that takes the place of one that cannot be drawn.
 */
import * as maplibregl from 'maplibre-gl';
import type { MapOptions } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { colour, say } from './page';

export { fail } from './cityFail';

maplibregl.setWorkerUrl(workerUrl);

/** Open a map that is not turned or tilted, with two buttons; `title` is the word for what it is. */
export function openMap(options: MapOptions, title = 'map'): maplibregl.Map {
  const map = new maplibregl.Map({
    attributionControl: false,
    cooperativeGestures: true,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    locale: {
      'Map.Title': say(title),
      'NavigationControl.ZoomIn': say('zoomIn'),
      'NavigationControl.ZoomOut': say('zoomOut'),
      'CooperativeGesturesHandler.WindowsHelpText': say('scrollZoom'),
      'CooperativeGesturesHandler.MacHelpText': say('scrollZoomMac'),
      'CooperativeGesturesHandler.MobileHelpText': say('twoFingers'),
    },
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
  return map;
}

/** Paint by layer and property. */
export type Paints = Record<string, Record<string, string>>;

/** Colours of the ground, from the stylesheet. */
export function groundPaints() {
  return {
    land: { 'background-color': colour('al-map-outside') },
    city: { 'fill-color': colour('al-map-land') },
    districts: { 'line-color': colour('al-map-line') },
    waters: { 'line-color': colour('al-map-water') },
    names: { 'text-color': colour('al-map-words'), 'text-halo-color': colour('al-map-land') },
  } satisfies Paints;
}

/** Give layers their colours again, those that there are. */
export function repaint(map: maplibregl.Map, paints: Paints): void {
  for (const [layer, properties] of Object.entries(paints)) {
    if (!map.getLayer(layer)) continue;
    for (const [name, value] of Object.entries(properties)) map.setPaintProperty(layer, name as never, value as never);
  }
}

/** A file of the city as a source. */
export function geojson(data: string) {
  return { type: 'geojson' as const, data: new URL(data, location.href).href };
}

/** What an address answers as JSON. */
export async function load<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return (await response.json()) as T;
}
