/**
 * A section of the map as a condition of the search: what the map shows is written into the four fields below it, which
 * do the same without it.
 */
import * as maplibregl from 'maplibre-gl';
import type { Feature, FeatureCollection } from 'geojson';
import { fail, load } from './cityMap';
import { around, open } from './places';
import { colour, onTheme, say } from './page';

const SIDES = ['west', 'south', 'east', 'north'] as const;

/** Draw the map with the section that the fields say, and let another one be taken. */
export async function offerExtent(panel: HTMLElement): Promise<void> {
  const place = panel.querySelector<HTMLElement>('[data-extent-map]')!;
  const told = panel.querySelector<HTMLElement>('[data-extent-told]')!;
  const take = panel.querySelector<HTMLButtonElement>('[data-extent-take]')!;
  const fields = SIDES.map((side) => document.getElementById(side) as HTMLInputElement);
  const district = document.getElementById('district') as HTMLSelectElement | null;
  try {
    const districts = await load<FeatureCollection>(panel.dataset.districts!);
    const said = read(fields);
    const whole = said ? new maplibregl.LngLatBounds(said) : around(districts);
    const map = open(place, panel, districts, whole);
    const draw = () => {
      const frame = map.getSource<maplibregl.GeoJSONSource>('section');
      frame?.setData(section(read(fields)));
    };
    map.on('load', () => {
      map.addSource('section', { type: 'geojson', data: section(read(fields)) });
      map.addLayer({
        id: 'section',
        type: 'line',
        source: 'section',
        paint: { 'line-color': colour('al-free'), 'line-width': 3 },
      });
      onTheme(() => map.setPaintProperty('section', 'line-color', colour('al-free')));
    });
    take.addEventListener('click', () => {
      const bounds = map.getBounds();
      const numbers = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
      fields.forEach((field, index) => (field.value = numbers[index]!.toFixed(4)));
      // A district and a section at once would be two answers to one question.
      if (district) district.value = '';
      told.textContent = say('taken', fields.map((field) => field.value).join(', '));
      draw();
    });
    for (const field of fields) field.addEventListener('change', draw);
  } catch (error) {
    fail(place, error);
    take.hidden = true;
  }
}

/** West, south, east, north; nothing where the fields say no section. */
function read(fields: HTMLInputElement[]): [number, number, number, number] | undefined {
  const numbers = fields.map((field) => Number(field.value.trim().replace(',', '.') || NaN));
  const [west, south, east, north] = numbers as [number, number, number, number];
  return west <= east && south <= north && Math.abs(west) <= 180 && Math.abs(north) <= 90
    ? [west, south, east, north]
    : undefined;
}

function section(box: [number, number, number, number] | undefined): FeatureCollection {
  if (!box) return { type: 'FeatureCollection', features: [] };
  const [west, south, east, north] = box;
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  const frame: Feature = { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: ring } };
  return { type: 'FeatureCollection', features: [frame] };
}
