/**
 * The map of a preview: what would come in, over the city's districts and waters. The lists beside it say the same;
 * where the map cannot be drawn, a sentence takes its place.
 */
import * as maplibregl from 'maplibre-gl';
import type { StyleSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection, Position } from 'geojson';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { colour, onTheme, say } from './page';

maplibregl.setWorkerUrl(workerUrl);

/** Draw the map into the element that says where its data are. */
export async function drawPreview(place: HTMLElement): Promise<void> {
  try {
    const response = await fetch(place.dataset.found!);
    if (!response.ok) throw new Error(`${response.status}`);
    const found = (await response.json()) as FeatureCollection;
    const map = new maplibregl.Map({
      container: place,
      style: style(place, found),
      bounds: extent(found),
      fitBoundsOptions: { padding: 48, maxZoom: 16 },
      attributionControl: false,
      cooperativeGestures: true,
      dragRotate: false,
      pitchWithRotate: false,
      maxPitch: 0,
      locale: {
        'Map.Title': say('map'),
        'NavigationControl.ZoomIn': say('zoomIn'),
        'NavigationControl.ZoomOut': say('zoomOut'),
        'CooperativeGesturesHandler.WindowsHelpText': say('scrollZoom'),
        'CooperativeGesturesHandler.MacHelpText': say('scrollZoomMac'),
        'CooperativeGesturesHandler.MobileHelpText': say('twoFingers'),
      },
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    onTheme(() => map.setStyle(style(place, found)));
    map.on('load', () => (place.dataset.drawn = String(found.features.length)));
  } catch (error) {
    console.warn('map', error);
    const words = document.createElement('p');
    words.className = 'map__failed';
    words.textContent = say('failed');
    place.replaceChildren(words);
  }
}

function style(place: HTMLElement, found: FeatureCollection): StyleSpecification {
  const ground = (data: string) => ({ type: 'geojson' as const, data: new URL(data, location.href).href });
  const strong = colour('al-map-names');
  return {
    version: 8,
    sources: {
      boundary: ground(place.dataset.boundary!),
      districts: ground(place.dataset.districts!),
      waters: ground(place.dataset.waters!),
      found: { type: 'geojson', data: found },
    },
    layers: [
      { id: 'land', type: 'background', paint: { 'background-color': colour('al-map-outside') } },
      { id: 'city', type: 'fill', source: 'boundary', paint: { 'fill-color': colour('al-map-land') } },
      { id: 'districts', type: 'line', source: 'districts', paint: { 'line-color': colour('al-map-line') } },
      { id: 'waters', type: 'line', source: 'waters', paint: { 'line-color': colour('al-map-water'), 'line-width': 3 } },
      {
        id: 'areas',
        type: 'fill',
        source: 'found',
        filter: ['==', ['geometry-type'], 'Polygon'],
        paint: { 'fill-color': strong, 'fill-opacity': 0.25 },
      },
      {
        id: 'lines',
        type: 'line',
        source: 'found',
        filter: ['!=', ['geometry-type'], 'Point'],
        paint: { 'line-color': strong, 'line-width': 2 },
      },
      {
        id: 'points',
        type: 'circle',
        source: 'found',
        filter: ['==', ['geometry-type'], 'Point'],
        paint: {
          'circle-color': strong,
          'circle-radius': ['interpolate', ['linear'], ['zoom'], 10, 3, 16, 7],
          'circle-stroke-color': colour('al-map-land'),
          'circle-stroke-width': 1,
        },
      },
    ],
  };
}

function extent(found: FeatureCollection): maplibregl.LngLatBounds {
  const bounds = new maplibregl.LngLatBounds();
  for (const feature of found.features) for (const at of positions(feature)) bounds.extend(at as [number, number]);
  return bounds;
}

function positions(feature: Feature): Position[] {
  const geometry = feature.geometry;
  if (!geometry) return [];
  const all = geometry.type === 'GeometryCollection' ? geometry.geometries : [geometry];
  return all.flatMap((one) => ('coordinates' in one ? flat(one.coordinates) : []));
}

function flat(value: unknown): Position[] {
  if (!Array.isArray(value)) return [];
  return typeof value[0] === 'number' ? [value as Position] : value.flatMap(flat);
}
