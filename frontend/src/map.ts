/**
 * The map of the car parks: districts and river from the city's profile as its ground, the car parks as links over it.
 * The list beside it says the same; where the map cannot be drawn, a sentence takes its place.
 */
import * as maplibregl from 'maplibre-gl';
import type { StyleSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection, LineString, Point } from 'geojson';
import { fail, geojson, groundPaints, load, openMap, repaint } from './cityMap';
import { colour, onTheme, say, sayNumber, still } from './page';
import { middles } from './middle';
import { spread, type Box } from './spread';

interface Park {
  id: string;
  name: string;
  url: string;
  free: number | null;
  level: string;
  simulated: boolean;
  /** What the pin shows where that is not the bare number. */
  label: string;
  /** What is known now, in words. */
  words: string;
}

interface Pin {
  park: Park;
  marker: maplibregl.Marker;
  element: HTMLAnchorElement;
  at: [number, number];
}

interface Parks extends FeatureCollection<Point, Park> {
  /** Of areas, by the ids of the points. */
  outlines: Feature[];
}

const QUIET = 'P'; // the label of what nobody counts
const NEAREST = 6; // places that are seen at once with the destination

const NEAR = 1.2; // km around the middle of the car parks that counts as the inner city

/** Room for the pins above their spots and for the buttons at the top. */
const FIT = { padding: { top: 64, right: 64, bottom: 40, left: 48 }, maxZoom: 16 };

/** Draw the map into the element that says where its data are. */
export async function drawMap(place: HTMLElement): Promise<void> {
  try {
    const [parks, districts] = await Promise.all([
      load<Parks>(place.dataset.parks!),
      load<FeatureCollection>(place.dataset.districts!),
    ]);
    if (parks.features.length === 0) {
      place.closest('section')!.hidden = true; // nothing to show that the list does not say
      return;
    }
    const map = openMap({
      container: place,
      style: groundStyle(place, districts, parks),
      bounds: around(place, parks) ?? whole(innerCity(parks)),
      fitBoundsOptions: FIT,
      minZoom: 9,
      maxZoom: 18,
      localIdeographFontFamily: "'Fira Sans', sans-serif",
    });
    map.addControl(new maplibregl.ScaleControl({ maxWidth: 90 }), 'bottom-left');
    addExtents(map, parks);
    addDestination(map, place);
    const pins = parks.features.map((feature) => addPin(map, feature));
    const arrange = () => arrangePins(map, pins);
    arrange();
    map.on('load', () => {
      const room = { width: 48, height: 34, data: new Uint8Array(48 * 34 * 4) };
      map.addImage('pin-room', room);
      arrange();
      markPins(map, pins);
    });
    map.on('move', arrange);
    map.on('moveend', () => markPins(map, pins));
    if (place.dataset.basemap) map.on('load', () => addGround(map, place, districts, parks));
    onTheme(() => repaint(map, paints()));
    document.addEventListener('allmende:reading', (event) => {
      const { id, free } = (event as CustomEvent<{ id: string; free: number }>).detail;
      const pin = pins.find((one) => one.park.id === id);
      if (pin) showPin(pin, { ...pin.park, free });
    });
    document.addEventListener('allmende:board', () => void renew(map, place, pins).then(arrange));
  } catch (error) {
    fail(place, error);
  }
}

/** Colours of the ground by layer and property, from the stylesheet. */
function paints() {
  return {
    ...groundPaints(),
    boundary: { 'line-color': colour('al-map-words') },
    'water-names': { 'text-color': colour('al-map-water-words'), 'text-halo-color': colour('al-map-land') },
    'park-names': { 'text-color': colour('al-map-names'), 'text-halo-color': colour('al-map-land') },
    outlines: { 'line-color': colour('al-map-names') },
    leaders: { 'line-color': colour('al-map-words') },
    spots: { 'circle-color': colour('al-map-words') },
  };
}

function sources(place: HTMLElement, districts: FeatureCollection, parks: Parks): StyleSpecification['sources'] {
  return {
    boundary: geojson(place.dataset.boundary!),
    districts: { type: 'geojson', data: districts },
    'district-names': { type: 'geojson', data: middles(districts) },
    waters: geojson(place.dataset.waters!),
    parks: geojson(place.dataset.parks!),
    outlines: { type: 'geojson', data: { type: 'FeatureCollection', features: parks.outlines } },
    pins: { type: 'geojson' as const, data: { type: 'FeatureCollection' as const, features: [] } },
  };
}

function layers(): StyleSpecification['layers'] {
  const paint = paints();
  const font = ['Fira Sans', 'sans-serif'];
  return [
    { id: 'land', type: 'background', paint: paint.land },
    { id: 'city', type: 'fill', source: 'boundary', paint: paint.city },
    { id: 'districts', type: 'line', source: 'districts', paint: { ...paint.districts, 'line-width': 1.25 } },
    {
      id: 'waters',
      type: 'line',
      source: 'waters',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        ...paint.waters,
        'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 10, 2, 13, 5, 16, 22],
      },
    },
    {
      id: 'boundary',
      type: 'line',
      source: 'boundary',
      paint: { ...paint.boundary, 'line-width': 1.5, 'line-dasharray': [3, 2] },
    },
    {
      id: 'names',
      type: 'symbol',
      source: 'district-names',
      layout: { 'text-field': ['get', 'name'], 'text-font': font, 'text-size': 14, 'text-padding': 8 },
      paint: { ...paint.names, 'text-halo-width': 1.5 },
    },
    {
      id: 'water-names',
      type: 'symbol',
      source: 'waters',
      layout: {
        'text-field': ['get', 'name'],
        'text-font': font,
        'text-size': 13,
        'symbol-placement': 'line',
        'symbol-spacing': 350,
      },
      paint: { ...paint['water-names'], 'text-halo-width': 1 },
    },
    {
      id: 'park-names',
      type: 'symbol',
      source: 'parks',
      layout: {
        'text-field': ['get', 'name'],
        'text-font': font,
        'text-size': 13,
        'text-variable-anchor': ['top', 'right', 'left', 'bottom'],
        'text-radial-offset': 0.6,
        'text-justify': 'auto',
        'text-padding': 0,
      },
      paint: { ...paint['park-names'], 'text-halo-width': 1.5 },
    },
    { id: 'outlines', type: 'line', source: 'outlines', paint: { ...paint.outlines, 'line-width': 3 } },
    {
      id: 'leaders',
      type: 'line',
      source: 'pins',
      filter: ['==', ['geometry-type'], 'LineString'],
      paint: { ...paint.leaders, 'line-width': 1.5 },
    },
    {
      // Invisible, as large as the pins: keeps the names out from under them.
      id: 'pin-room',
      type: 'symbol',
      source: 'pins',
      filter: ['==', ['geometry-type'], 'Point'],
      layout: { 'icon-image': 'pin-room', 'icon-allow-overlap': true },
    },
    { id: 'spots', type: 'circle', source: 'parks', paint: { ...paint.spots, 'circle-radius': 4 } },
  ] as StyleSpecification['layers'];
}

/** The style: another's where the city has set one, else our own ground. */
function groundStyle(place: HTMLElement, districts: FeatureCollection, parks: Parks): StyleSpecification | string {
  return place.dataset.basemap || { version: 8, sources: sources(place, districts, parks), layers: layers() };
}

/** Layers that are drawn over another's style too. */
const OVER = new Set(['boundary', 'outlines', 'leaders', 'spots']);

/** Our boundary and spots over another's style. */
function addGround(map: maplibregl.Map, place: HTMLElement, districts: FeatureCollection, parks: Parks): void {
  const ours = sources(place, districts, parks);
  for (const name of ['boundary', 'parks', 'outlines', 'pins']) map.addSource(name, ours[name]!);
  for (const layer of layers()) if (OVER.has(layer.id)) map.addLayer(layer);
}

function whole(parks: Parks): maplibregl.LngLatBounds {
  const bounds = new maplibregl.LngLatBounds();
  for (const feature of parks.features) bounds.extend(feature.geometry.coordinates as [number, number]);
  return bounds;
}

/** Where somebody wants to go, and what suits best there; null where nobody said it. */
function around(place: HTMLElement, parks: Parks): maplibregl.LngLatBounds | null {
  const to = destination(place);
  if (!to) return null;
  const from = new maplibregl.LngLat(...to);
  const first = parks.features.slice(0, NEAREST).map(({ geometry }) => geometry.coordinates as [number, number]);
  const near = first.filter((at) => from.distanceTo(new maplibregl.LngLat(...at)) < NEAR * 1000);
  const bounds = new maplibregl.LngLatBounds(to, to);
  for (const at of near.length ? near : first) bounds.extend(at);
  return bounds;
}

function destination({ dataset }: HTMLElement): [number, number] | null {
  return dataset.toLon && dataset.toLat ? [Number(dataset.toLon), Number(dataset.toLat)] : null;
}

function addDestination(map: maplibregl.Map, place: HTMLElement): void {
  const to = destination(place);
  if (!to) return;
  const element = document.createElement('div');
  element.className = 'map-to';
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', say('destination', place.dataset.toWords!));
  element.title = place.dataset.toWords!;
  new maplibregl.Marker({ element, anchor: 'center' }).setLngLat(to).addTo(map);
}

/** The car parks around their middle, if most are there: one far away must not make all the others tiny. */
function innerCity(parks: Parks): Parks {
  const middle = (axis: 0 | 1) => {
    const sorted = parks.features.map((feature) => feature.geometry.coordinates[axis]!).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const centre = new maplibregl.LngLat(middle(0), middle(1));
  const near = parks.features.filter((feature) => {
    const [lon, lat] = feature.geometry.coordinates as [number, number];
    return centre.distanceTo(new maplibregl.LngLat(lon, lat)) < NEAR * 1000;
  });
  return near.length * 2 > parks.features.length ? { ...parks, features: near } : parks;
}

function addExtents(map: maplibregl.Map, parks: Parks): void {
  if (innerCity(parks) === parks) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'map__extent';
  let all = false;
  button.textContent = say('whole');
  button.addEventListener('click', () => {
    all = !all;
    button.textContent = say(all ? 'centre' : 'whole');
    map.fitBounds(whole(all ? parks : innerCity(parks)), { ...FIT, animate: !still() });
  });
  document.querySelector('[data-map-bar]')!.append(button);
}

function addPin(map: maplibregl.Map, feature: Feature<Point, Park>): Pin {
  const element = document.createElement('a');
  const at = feature.geometry.coordinates as [number, number];
  const marker = new maplibregl.Marker({ element, anchor: 'center' }).setLngLat(at).addTo(map);
  const pin: Pin = { park: feature.properties, marker, element, at };
  element.href = feature.properties.url;
  showPin(pin, feature.properties);
  return pin;
}

function showPin(pin: Pin, park: Park): void {
  pin.park = park;
  for (const level of ['free', 'few', 'full', 'none']) pin.element.classList.toggle(`pin--${level}`, park.level === level);
  pin.element.classList.add('pin');
  pin.element.textContent = park.label || (park.free === null ? '–' : sayNumber(park.free));
  pin.element.classList.toggle('pin--quiet', park.label === QUIET);
  pin.element.classList.toggle('pin--simulated', park.simulated);
  const counted = !park.label && park.free !== null;
  const words = counted ? say('free', sayNumber(park.free!)) : park.words;
  const mark = park.simulated ? ` (${say('simulated')})` : '';
  pin.element.setAttribute('aria-label', `${park.name}: ${words}${mark}`);
  pin.element.title = `${park.name}${mark}`;
}

/** Show what is known now. A measured car park may have taken the place of its simulation, or the other way round. */
async function renew(map: maplibregl.Map, place: HTMLElement, pins: Pin[]): Promise<void> {
  const parks = await load<Parks>(place.dataset.parks!);
  const there = new Set(parks.features.map((feature) => feature.properties.id));
  for (const gone of pins.filter((pin) => !there.has(pin.park.id))) {
    gone.marker.remove();
    pins.splice(pins.indexOf(gone), 1);
  }
  for (const feature of parks.features) {
    const pin = pins.find((one) => one.park.id === feature.properties.id);
    if (pin) showPin(pin, feature.properties);
    else pins.push(addPin(map, feature));
  }
}

/** Move pins apart that would cover each other; the dots under them stay where the car parks are. */
function arrangePins(map: maplibregl.Map, all: Pin[]): void {
  // what nobody counts stays on its spot: it makes no room for itself
  for (const pin of all.filter(({ park }) => park.label === QUIET)) setPin(map, pin, [0, 0]);
  const pins = all.filter(({ park }) => park.label !== QUIET);
  const boxes: Box[] = pins.map((pin) => {
    const { x, y } = map.project(pin.at);
    return { x, y: y - 22, width: Math.max(44, pin.element.offsetWidth) + 4, height: 36 };
  });
  spread(boxes).forEach((box, index) => {
    const pin = pins[index]!;
    const { x, y } = map.project(pin.at);
    setPin(map, pin, [Math.round(box.x - x), Math.round(box.y - y)]);
  });
}

/** Put a pin beside its spot. Out of sight is out of reach too: no focus on what the frame cuts off. */
function setPin(map: maplibregl.Map, pin: Pin, offset: [number, number]): void {
  const { x, y } = map.project(pin.at);
  const { clientWidth, clientHeight } = map.getContainer();
  pin.marker.setOffset(offset);
  pin.element.classList.toggle('pin--outside', x < 0 || y < 0 || x > clientWidth || y > clientHeight);
}

/** Tell the map where the pins are: a line from each to its spot, and room that names keep free. */
function markPins(map: maplibregl.Map, pins: Pin[]): void {
  const features: Feature<Point | LineString>[] = [];
  for (const pin of pins) {
    const spot = map.project(pin.at);
    const offset = pin.marker.getOffset();
    const { lng, lat } = map.unproject([spot.x + offset.x, spot.y + offset.y]);
    features.push(
      { type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [lng, lat] } },
      { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: [[lng, lat], pin.at] } },
    );
  }
  map.getSource<maplibregl.GeoJSONSource>('pins')?.setData({ type: 'FeatureCollection', features });
}
