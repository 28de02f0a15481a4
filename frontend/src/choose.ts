/**
 * The explorer's map of places that have values: a click leads to what the list's link of that place leads to. Who
 * cannot use a map has the list.
 */
import * as maplibregl from 'maplibre-gl';
import type { FeatureCollection, Point } from 'geojson';
import { fail, load, repaint } from './cityMap';
import { colour, onTheme } from './page';
import { around, open } from './places';

interface Place {
  name: string;
  url: string;
}

/** Pixels around a finger in which a place is meant. */
const REACH = 10;

/** Draw the places and let one be chosen. */
export async function offerChoice(place: HTMLElement): Promise<void> {
  try {
    const [found, districts] = await Promise.all([
      load<FeatureCollection<Point, Place>>(place.dataset.found!),
      load<FeatureCollection>(place.dataset.districts!),
    ]);
    const bounds = new maplibregl.LngLatBounds();
    for (const { geometry } of found.features) bounds.extend(geometry.coordinates as [number, number]);
    const map = open(place, place, districts, bounds.isEmpty() ? around(districts) : bounds);
    const paint = () => ({ 'circle-color': colour('al-free'), 'circle-stroke-color': colour('al-map-land') });
    map.on('load', () => {
      map.addSource('places', { type: 'geojson', data: found });
      map.addLayer({
        id: 'places',
        type: 'circle',
        source: 'places',
        paint: { ...paint(), 'circle-radius': 8, 'circle-stroke-width': 2 },
      });
      place.dataset.drawn = String(found.features.length);
    });
    onTheme(() => repaint(map, { places: paint() }));
    const at = ({ x, y }: maplibregl.Point): Place | undefined => {
      const box: [[number, number], [number, number]] = [
        [x - REACH, y - REACH],
        [x + REACH, y + REACH],
      ];
      const near = map.getLayer('places') ? map.queryRenderedFeatures(box, { layers: ['places'] }) : [];
      return near[0]?.properties as Place | undefined;
    };
    const told = place.parentElement!.querySelector<HTMLElement>('[data-choose-name]');
    map.on('mousemove', ({ point }) => {
      const under = at(point);
      map.getCanvas().style.cursor = under ? 'pointer' : '';
      if (told) told.textContent = under?.name ?? '';
    });
    map.on('click', ({ point }) => {
      const under = at(point);
      if (under) location.assign(under.url);
    });
  } catch (error) {
    fail(place, error);
  }
}
