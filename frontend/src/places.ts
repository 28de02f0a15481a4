/**
 * Maps of citizens' sensors: one that shows them, squares where the place is told coarsely, and one to choose a place.
 * The list, and the fields below the map, do the same without it.
 */
import * as maplibregl from 'maplibre-gl';
import type { StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection, Geometry } from 'geojson';
import { fail, geojson, groundPaints, load, openMap, repaint } from './cityMap';
import { middles } from './middle';
import { colour, onTheme, say } from './page';

interface Sensor {
  name: string;
  url: string;
  point: [number, number];
}

const FIT = { padding: 24, maxZoom: 13 };

/** Draw the released sensors: squares and links in their middles. */
export async function drawPlaces(place: HTMLElement): Promise<void> {
  try {
    const [sensors, districts] = await Promise.all([
      load<FeatureCollection<Geometry, Sensor>>(place.dataset.places!),
      load<FeatureCollection>(place.dataset.districts!),
    ]);
    if (sensors.features.length === 0) {
      place.closest('section')!.hidden = true; // nothing to show that the list does not say
      return;
    }
    const bounds = new maplibregl.LngLatBounds();
    for (const sensor of sensors.features) bounds.extend(sensor.properties.point);
    const map = open(place, place, districts, bounds);
    map.on('load', () => {
      map.addSource('cells', { type: 'geojson', data: sensors });
      map.addLayer({
        id: 'cells',
        type: 'fill',
        source: 'cells',
        filter: ['==', ['geometry-type'], 'Polygon'],
        paint: { 'fill-color': colour('al-free'), 'fill-opacity': 0.18, 'fill-outline-color': colour('al-free') },
      });
      onTheme(() => map.setPaintProperty('cells', 'fill-color', colour('al-free')));
    });
    const pins: [HTMLElement, [number, number]][] = sensors.features.map(({ properties }) => {
      const element = document.createElement('a');
      element.href = properties.url;
      element.className = 'pin pin--own';
      element.setAttribute('aria-label', properties.name);
      element.title = properties.name;
      new maplibregl.Marker({ element }).setLngLat(properties.point).addTo(map);
      return [element, properties.point];
    });
    const arrange = () => {
      const { clientWidth: width, clientHeight: height } = map.getContainer();
      for (const [element, at] of pins) {
        const { x, y } = map.project(at);
        // Out of sight is out of reach too: no focus on what the frame cuts off.
        element.classList.toggle('pin--outside', x < 0 || y < 0 || x > width || y > height);
      }
    };
    map.on('move', arrange);
    arrange();
  } catch (error) {
    fail(place, error);
  }
}

/** Let a place be chosen by a click, or by Enter for the middle; it is written into the two fields. */
export async function offerPlace(panel: HTMLElement): Promise<void> {
  const place = panel.querySelector<HTMLElement>('[data-pick-map]')!;
  const lat = document.getElementById(panel.dataset.lat!) as HTMLInputElement;
  const lon = document.getElementById(panel.dataset.lon!) as HTMLInputElement;
  try {
    const districts = await load<FeatureCollection>(panel.dataset.districts!);
    const map = open(place, panel, districts, around(districts), 'pick');
    const element = document.createElement('span');
    element.className = 'pick__mark';
    const marker = new maplibregl.Marker({ element });
    const told = document.createElement('p');
    told.setAttribute('role', 'status');
    told.className = 'pick__told';
    place.after(told);
    const show = (at: maplibregl.LngLat, say_ = false) => {
      marker.setLngLat(at).addTo(map);
      if (say_) told.textContent = say('picked', `${lat.value}, ${lon.value}`);
    };
    const choose = (at: maplibregl.LngLat) => {
      lat.value = at.lat.toFixed(5);
      lon.value = at.lng.toFixed(5);
      show(at, true);
    };
    const read = () => {
      const [north, east] = [lat, lon].map((field) => Number(field.value.trim().replace(',', '.') || NaN));
      if (Math.abs(north!) <= 90 && Math.abs(east!) <= 180) show(new maplibregl.LngLat(east!, north!));
    };
    map.on('click', (event) => choose(event.lngLat));
    map.getCanvas().addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault(); // Enter would send the form
      choose(map.getCenter());
    });
    for (const field of [lat, lon]) field.addEventListener('change', read);
    read();
  } catch (error) {
    fail(place, error);
  }
}

/** A map on the city's ground; `said` says where that is to be had. */
export function open(
  container: HTMLElement,
  said: HTMLElement,
  districts: FeatureCollection,
  bounds: maplibregl.LngLatBounds,
  title = 'map',
): maplibregl.Map {
  const options = { container, style: ground(said, districts), bounds, fitBoundsOptions: FIT };
  const fonts = { localIdeographFontFamily: "'Fira Sans', sans-serif" };
  const map = openMap({ ...options, ...fonts, minZoom: 8, maxZoom: 18 }, title);
  onTheme(() => repaint(map, groundPaints()));
  return map;
}

function ground(said: HTMLElement, districts: FeatureCollection): StyleSpecification {
  const paint = groundPaints();
  return {
    version: 8,
    sources: {
      boundary: geojson(said.dataset.boundary!),
      districts: { type: 'geojson', data: districts },
      'district-names': { type: 'geojson', data: middles(districts) },
      waters: geojson(said.dataset.waters!),
    },
    layers: [
      { id: 'land', type: 'background', paint: paint.land },
      { id: 'city', type: 'fill', source: 'boundary', paint: paint.city },
      { id: 'waters', type: 'line', source: 'waters', paint: { ...paint.waters, 'line-width': 3 } },
      { id: 'districts', type: 'line', source: 'districts', paint: { ...paint.districts, 'line-width': 1.25 } },
      {
        id: 'names',
        type: 'symbol',
        source: 'district-names',
        layout: { 'text-field': ['get', 'name'], 'text-font': ['Fira Sans', 'sans-serif'], 'text-size': 14 },
        paint: { ...paint.names, 'text-halo-width': 1.5 },
      },
    ],
  } as StyleSpecification;
}

/** The box around all districts. */
export function around(districts: FeatureCollection): maplibregl.LngLatBounds {
  const bounds = new maplibregl.LngLatBounds();
  for (const { geometry } of middles(districts).features) bounds.extend(geometry.coordinates as [number, number]);
  return bounds;
}
