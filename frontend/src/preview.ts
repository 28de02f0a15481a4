/**
 * The map of a preview: what would come in, over the city's districts and waters. The lists beside it say the same;
 * where the map cannot be drawn, a sentence takes its place.
 */
import * as maplibregl from 'maplibre-gl';
import type { StyleSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection, Position } from 'geojson';
import { fail, geojson, groundPaints, load, openMap } from './cityMap';
import { colour, onTheme } from './page';

/** Draw the map into the element that says where its data are. */
export async function drawPreview(place: HTMLElement): Promise<void> {
  try {
    const found = await load<FeatureCollection>(place.dataset.found!);
    const map = openMap({
      container: place,
      style: style(place, found),
      bounds: extent(found),
      fitBoundsOptions: { padding: 48, maxZoom: 16 },
    });
    onTheme(() => map.setStyle(style(place, found)));
    map.on('load', () => (place.dataset.drawn = String(found.features.length)));
  } catch (error) {
    fail(place, error);
  }
}

function style(place: HTMLElement, found: FeatureCollection): StyleSpecification {
  const paint = groundPaints();
  const strong = colour('al-map-names');
  return {
    version: 8,
    sources: {
      boundary: geojson(place.dataset.boundary!),
      districts: geojson(place.dataset.districts!),
      waters: geojson(place.dataset.waters!),
      found: { type: 'geojson', data: found },
    },
    layers: [
      { id: 'land', type: 'background', paint: paint.land },
      { id: 'city', type: 'fill', source: 'boundary', paint: paint.city },
      { id: 'districts', type: 'line', source: 'districts', paint: paint.districts },
      { id: 'waters', type: 'line', source: 'waters', paint: { ...paint.waters, 'line-width': 3 } },
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
