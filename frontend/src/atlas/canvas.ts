/** The drawn map: the city's outlines as its ground, tiles of objects, things with their values, a chosen district. */
import * as maplibregl from 'maplibre-gl';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';
import { geojson, groundPaints, load, openMap, repaint } from '../cityMap';
import { middles } from '../middle';
import { colour, onTheme, still } from '../page';
import { classOf, type Said, type Things } from './data';
import { type Layer } from './layers';
import { SHAPES, shade } from './shapes';
import { sayMoment } from './time';

export interface Seen {
  layer: string;
  id: string;
  name: string;
  text: string;
  /** When its value was measured. */
  time: string | null;
  at: [number, number];
}

export interface Canvas {
  /** Draw these layers, the uppermost first, and things of those that have them. */
  lay: (layers: Layer[], things: Map<string, Things>) => void;
  /** Draw the values of a layer anew. */
  refresh: (layer: Layer, things: Things) => void;
  district: (id: string) => void;
  goTo: (lon: number, lat: number, zoom: number) => void;
  mark: (lon: number, lat: number) => void;
  /** Show a small window beside a thing; null closes it. */
  point: (seen: Seen | null) => void;
  seen: (most: number) => { all: number; first: Seen[] };
  position: () => string;
  box: () => string;
  drawn: () => Promise<void>;
}

const SIZE = 2; // pixels of an image for one of the screen
const FONT = ['Fira Sans', 'sans-serif'];
const NAMES = ['name', 'Name', 'NAME', 'title', 'titel', 'bezeichnung', 'Bezeichnung', 'label'];

const KINDS = ['species', 'art', 'kind', 'type', 'street', 'strasse'];

type Outlines = FeatureCollection<Polygon | MultiPolygon>;

/** Open the map; `pick` hears of what is clicked, `moved` when it stands still elsewhere. */
export async function openCanvas(
  root: HTMLElement,
  place: HTMLElement,
  position: [number, number, number] | null,
  pick: (seen: Seen | null) => void,
  moved: () => void,
): Promise<Canvas> {
  const districts = await load<Outlines>(root.dataset.districts!);
  const [lon, lat, zoom] = root.dataset.center!.split(',').map(Number) as [number, number, number];
  const map = openMap({
    container: place,
    style: root.dataset.basemap || ground(root, districts),
    center: position ? [position[2], position[1]] : [lon, lat],
    zoom: position ? position[0] : zoom,
    minZoom: 8,
    maxZoom: 19,
    localIdeographFontFamily: "'Fira Sans', sans-serif",
    canvasContextAttributes: { preserveDrawingBuffer: true }, // else browsers print an empty map
    fadeDuration: still() ? 0 : 200,
  });
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 110 }), 'bottom-left');
  await new Promise<void>((done) => void map.once('load', () => done()));
  const over: Over = { map, layers: [], things: new Map(), images: new Set() };
  map.addSource('district', { type: 'geojson', data: empty() });
  map.addSource('marked', { type: 'geojson', data: empty() });
  addTop(map);
  onTheme(() => {
    repaint(map, { ...groundPaints(), ...topPaints() });
    for (const name of over.images) if (map.hasImage(name)) map.removeImage(name);
    over.images.clear();
    lay(over, over.layers, over.things);
  });
  const popup = new maplibregl.Popup({ closeButton: false, closeOnClick: false, offset: 12, maxWidth: '18rem' });
  let pinned: Seen | null = null;
  const point = (seen: Seen | null) => {
    if (!seen) {
      popup.remove();
      return;
    }
    const words = document.createElement('div');
    const name = document.createElement('strong');
    name.textContent = seen.name;
    words.append(name);
    if (seen.text) words.append(document.createElement('br'), seen.text);
    if (seen.time) words.append(document.createElement('br'), sayMoment(Date.parse(seen.time)));
    popup.setLngLat(seen.at).setDOMContent(words).addTo(map);
  };
  map.on('click', (event) => {
    pinned = under(over, event.point);
    point(pinned);
    pick(pinned);
  });
  map.on('mousemove', (event) => {
    const found = under(over, event.point);
    map.getCanvas().style.cursor = found ? 'pointer' : '';
    if (found) point(found);
    else point(pinned);
  });
  map.on('moveend', moved);
  map.on('idle', () => (place.dataset.drawn = String(over.layers.length)));
  return {
    lay: (layers, things) => lay(over, layers, things),
    refresh: (layer, things) => {
      map.getSource<maplibregl.GeoJSONSource>(layer.id)?.setData(dressed(over, layer, things));
    },
    district: (id) => cut(map, districts, id),
    goTo: (x, y, depth) => map.easeTo({ center: [x, y], zoom: Math.max(depth, map.getZoom()), animate: !still() }),
    mark: (x, y) => {
      const data = { type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [x, y] } } as Feature;
      map.getSource<maplibregl.GeoJSONSource>('marked')?.setData(Number.isNaN(x) ? empty() : data);
    },
    point: (seen) => {
      pinned = seen;
      point(seen);
    },
    seen: (most) => inView(over, most),
    position: () => {
      const { lng, lat: y } = map.getCenter();
      return `${map.getZoom().toFixed(2)}/${y.toFixed(5)}/${lng.toFixed(5)}`;
    },
    box: () => {
      const bounds = map.getBounds();
      const ends = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
      return ends.map((one) => one.toFixed(5)).join(',');
    },
    drawn: () =>
      new Promise((done) => {
        setTimeout(done, 2500);
        map.once('idle', () => done());
        map.triggerRepaint();
      }),
  };
}

interface Over {
  map: maplibregl.Map;
  layers: Layer[];
  things: Map<string, Things>;
  images: Set<string>;
}

function empty(): FeatureCollection {
  return { type: 'FeatureCollection', features: [] };
}

function ground(root: HTMLElement, districts: Outlines): StyleSpecification {
  const paint = groundPaints();
  const line = colour('al-map-words');
  return {
    version: 8,
    sources: {
      boundary: geojson(root.dataset.boundary!),
      districts: { type: 'geojson', data: districts },
      'district-names': { type: 'geojson', data: middles(districts) },
      waters: geojson(root.dataset.waters!),
    },
    layers: [
      { id: 'land', type: 'background', paint: paint.land },
      { id: 'city', type: 'fill', source: 'boundary', paint: paint.city },
      {
        id: 'waters',
        type: 'line',
        source: 'waters',
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { ...paint.waters, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 10, 2, 13, 5, 16, 22] },
      },
      { id: 'districts', type: 'line', source: 'districts', paint: { ...paint.districts, 'line-width': 1.25 } },
      {
        id: 'boundary',
        type: 'line',
        source: 'boundary',
        paint: { 'line-color': line, 'line-width': 1.5, 'line-dasharray': [3, 2] },
      },
      {
        id: 'names',
        type: 'symbol',
        source: 'district-names',
        layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 14, 'text-padding': 8 },
        paint: { ...paint.names, 'text-halo-width': 1.5 },
      },
    ],
  } as StyleSpecification;
}

function topPaints() {
  return {
    boundary: { 'line-color': colour('al-map-words') },
    'outside-district': { 'fill-color': colour('al-map-outside') },
    'district-edge': { 'line-color': colour('al-map-names') },
    marked: { 'circle-stroke-color': colour('al-full') },
  };
}

/** What lies over all layers: what is outside of a district, its edge, the place that was sought. */
function addTop(map: maplibregl.Map): void {
  const paint = topPaints();
  const top = [
    {
      id: 'outside-district',
      type: 'fill',
      source: 'district',
      filter: ['==', ['get', 'side'], 'out'],
      paint: { ...paint['outside-district'], 'fill-opacity': 0.88 },
    },
    {
      id: 'district-edge',
      type: 'line',
      source: 'district',
      filter: ['==', ['get', 'side'], 'in'],
      paint: { ...paint['district-edge'], 'line-width': 2.5 },
    },
    {
      id: 'marked',
      type: 'circle',
      source: 'marked',
      paint: { ...paint.marked, 'circle-radius': 14, 'circle-opacity': 0, 'circle-stroke-width': 3 },
    },
  ];
  for (const layer of top) map.addLayer(layer as LayerSpecification);
}

/** Cover all but a district; none uncovers everything. */
function cut(map: maplibregl.Map, districts: Outlines, id: string): void {
  const found = districts.features.find((one) => id && (one.properties?.id === id || one.properties?.name === id));
  const source = map.getSource<maplibregl.GeoJSONSource>('district');
  if (!found) {
    source?.setData(empty());
    return;
  }
  const parts = found.geometry.type === 'Polygon' ? [found.geometry.coordinates] : found.geometry.coordinates;
  const world: Position[] = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]]; // prettier-ignore
  const rings = [world, ...parts.map((rings_) => [...rings_[0]!].reverse())];
  source?.setData({
    type: 'FeatureCollection',
    features: [
      { type: 'Feature', properties: { side: 'out' }, geometry: { type: 'Polygon', coordinates: rings } },
      { type: 'Feature', properties: { side: 'in' }, geometry: found.geometry },
    ],
  });
  const bounds = new maplibregl.LngLatBounds();
  for (const part of parts) for (const at of part[0]!) bounds.extend(at as [number, number]);
  map.fitBounds(bounds, { padding: 32, animate: !still() });
}

/** Take away what was drawn of layers, and draw those that are on, the lowest first. */
function lay(over: Over, layers: Layer[], things: Map<string, Things>): void {
  const { map } = over;
  for (const each of map.getStyle().layers) if (each.id.startsWith('over:')) map.removeLayer(each.id);
  for (const old of over.layers) if (!layers.includes(old) && map.getSource(old.id)) map.removeSource(old.id);
  over.layers = layers;
  over.things = things;
  for (const name of ['districts', 'waters'] as const) {
    const on = layers.some((layer) => layer.kind === 'ground' && layer.source === name);
    for (const id of name === 'districts' ? ['districts', 'names'] : ['waters']) {
      if (map.getLayer(id)) map.setLayoutProperty(id, 'visibility', on ? 'visible' : 'none');
    }
  }
  for (const layer of [...layers].reverse()) {
    if (layer.kind === 'things') addThings(over, layer);
    if (layer.kind === 'features') addTiles(over, layer);
  }
}

function addThings(over: Over, layer: Layer): void {
  const { map } = over;
  const known = over.things.get(layer.id);
  const data = known ? dressed(over, layer, known) : empty();
  const source = map.getSource<maplibregl.GeoJSONSource>(layer.id);
  if (source) source.setData(data);
  else map.addSource(layer.id, { type: 'geojson', data });
  const shades = ['get', 'shade'];
  const own: unknown[] = [
    {
      id: `over:${layer.id}|areas`,
      type: 'fill',
      source: layer.id,
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': shades, 'fill-opacity': 0.6 },
    },
    {
      id: `over:${layer.id}|lines`,
      type: 'line',
      source: layer.id,
      filter: ['!=', ['geometry-type'], 'Point'],
      paint: { 'line-color': colour('al-map-names'), 'line-width': 1.5 },
    },
    {
      id: `over:${layer.id}|points`,
      type: 'symbol',
      source: layer.id,
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-allow-overlap': true,
        'text-field': ['step', ['zoom'], '', 12, ['coalesce', ['get', 'text'], '']],
        'text-font': FONT,
        'text-size': 13,
        'text-optional': true,
        'text-variable-anchor': ['top', 'bottom', 'right', 'left'],
        'text-radial-offset': 1,
      },
      paint: { 'text-color': colour('al-map-names'), 'text-halo-color': colour('al-map-land'), 'text-halo-width': 1.5 },
    },
  ];
  for (const each of own) map.addLayer(each as LayerSpecification, 'outside-district');
}

function addTiles(over: Over, layer: Layer): void {
  const { map } = over;
  if (!map.getSource(layer.id)) {
    const tiles = [new URL(layer.tiles, location.href).href.replace(/%7B/g, '{').replace(/%7D/g, '}')];
    map.addSource(layer.id, { type: 'vector', tiles, maxzoom: 17 });
  }
  const tone = colour(`al-kind-${layer.mark % 6}`);
  const edge = colour('al-map-names');
  const sizes = [3, 5, 7, 10].map((radius) => image(over, layer, `al-kind-${layer.mark % 6}`, radius));
  const own: unknown[] = [
    {
      id: `over:${layer.id}|areas`,
      type: 'fill',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': tone, 'fill-opacity': 0.4 },
    },
    {
      id: `over:${layer.id}|lines`,
      type: 'line',
      filter: ['==', ['geometry-type'], 'LineString'],
      paint: { 'line-color': tone, 'line-width': 3 },
    },
    {
      id: `over:${layer.id}|edges`,
      type: 'line',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'line-color': edge, 'line-width': 1 },
    },
    {
      id: `over:${layer.id}|points`,
      type: 'symbol',
      filter: ['==', ['geometry-type'], 'Point'],
      layout: { 'icon-image': ['step', ['zoom'], sizes[0], 14, sizes[1], 15.5, sizes[2], 17, sizes[3]], 'icon-allow-overlap': true },
    },
  ];
  for (const each of own) {
    const made = { ...(each as object), source: layer.id, 'source-layer': layer.id } as LayerSpecification;
    map.addLayer(made, 'outside-district');
  }
}

/** Things with the image and colour of their class. */
function dressed(over: Over, layer: Layer, things: Things): FeatureCollection {
  const { scale } = things;
  const none = scale.labels.length - 1;
  const icons = scale.labels.map((_, place) => {
    const name = shade(scale.numbers, place, place === none);
    return [image(over, layer, name, place === none ? 8 : scale.numbers ? 9 + place * 1.5 : 11), colour(name)] as const;
  });
  const features = things.features.map((feature) => {
    const [icon, tone] = icons[classOf(scale, feature.properties.value)]!;
    return { ...feature, properties: { ...feature.properties, icon, shade: tone } };
  });
  return { type: 'FeatureCollection', features };
}

/** The image of a class, drawn once for each theme; `radius` is half its width in pixels of the screen. */
function image(over: Over, layer: Layer, name: string, radius: number): string {
  const id = `${layer.mark}-${name}-${radius}-${layer.simulated}`;
  if (over.images.has(id)) return id;
  const side = Math.ceil((radius * 2 + 4) * SIZE);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const pen = canvas.getContext('2d')!;
  pen.scale(side / 24, side / 24);
  pen.translate(2, 2);
  const path = new Path2D(SHAPES[layer.mark % SHAPES.length]!);
  pen.lineJoin = 'round';
  pen.strokeStyle = colour('al-map-land');
  pen.lineWidth = 4;
  pen.stroke(path);
  pen.fillStyle = colour(name);
  pen.fill(path);
  pen.strokeStyle = colour('al-map-names');
  pen.lineWidth = 1.6;
  if (layer.simulated) pen.setLineDash([3, 2]);
  pen.stroke(path);
  over.map.addImage(id, pen.getImageData(0, 0, side, side), { pixelRatio: SIZE });
  over.images.add(id);
  return id;
}

const REACH = 6; // pixels beside a sign that still count as on it

function under(over: Over, point: maplibregl.Point): Seen | null {
  const box: [maplibregl.PointLike, maplibregl.PointLike] = [
    [point.x - REACH, point.y - REACH],
    [point.x + REACH, point.y + REACH],
  ];
  const layers = drawnLayers(over);
  if (layers.length === 0) return null;
  const outside = over.map.queryRenderedFeatures(point, { layers: ['outside-district'] });
  if (outside.length) return null;
  const found = over.map.queryRenderedFeatures(box, { layers })[0];
  return found ? asSeen(over, found, over.map.unproject(point)) : null;
}

function drawnLayers(over: Over): string[] {
  return over.map.getStyle().layers.map((each) => each.id).filter((id) => id.startsWith('over:')); // prettier-ignore
}

function asSeen(over: Over, found: maplibregl.MapGeoJSONFeature, near: maplibregl.LngLat): Seen {
  const said = found.properties as unknown as Said & Record<string, unknown>;
  const layer = found.source;
  const at = found.geometry.type === 'Point' ? found.geometry.coordinates : [near.lng, near.lat];
  const title = over.layers.find((each) => each.id === layer)?.title ?? '';
  return { layer, id: String(said.id), name: nameOf(said), text: said.text ?? title, time: said.time ?? null, at: at as [number, number] };
}

/** As the server names an object that has no name (`_named` in items.py). */
function nameOf(said: Said & Record<string, unknown>): string {
  const name = NAMES.map((key) => said[key]).find(Boolean);
  if (name) return String(name);
  const kind = KINDS.map((key) => said[key]).find(Boolean);
  return kind ? `${String(kind)} (${said.id})` : String(said.id);
}

/** What of the layers lies in view, each once. */
function inView(over: Over, most: number): { all: number; first: Seen[] } {
  const layers = drawnLayers(over);
  if (layers.length === 0) return { all: 0, first: [] };
  const covered = over.map.queryRenderedFeatures({ layers: ['district-edge'] }).length > 0;
  const found = new Map<string, Seen>();
  for (const one of over.map.queryRenderedFeatures({ layers })) {
    const key = `${one.source}|${String(one.properties.id)}`;
    if (found.has(key)) continue;
    const seen = asSeen(over, one, over.map.getCenter());
    if (covered && one.geometry.type === 'Point') {
      const point = over.map.project(seen.at);
      if (over.map.queryRenderedFeatures(point, { layers: ['outside-district'] }).length) continue;
    }
    found.set(key, seen);
  }
  const order = over.layers.map((layer) => layer.id);
  const first = [...found.values()].sort(
    (a, b) => order.indexOf(a.layer) - order.indexOf(b.layer) || a.name.localeCompare(b.name),
  );
  return { all: first.length, first: first.slice(0, most) };
}
