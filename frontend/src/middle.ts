/** One point for the name of each area: drawn from the areas themselves, names would stand once in every tile. */
import type { FeatureCollection, Point, Position } from 'geojson';

/** The areas' properties at the middle of the largest ring of each. */
export function middles(areas: FeatureCollection): FeatureCollection<Point> {
  const points: FeatureCollection<Point> = { type: 'FeatureCollection', features: [] };
  for (const { geometry, properties } of areas.features) {
    const rings =
      geometry.type === 'Polygon'
        ? [geometry.coordinates[0]!]
        : geometry.type === 'MultiPolygon'
          ? geometry.coordinates.map((polygon) => polygon[0]!)
          : [];
    const best = rings.map(centre).sort((a, b) => b.area - a.area)[0];
    if (!best) continue;
    points.features.push({ type: 'Feature', properties, geometry: { type: 'Point', coordinates: best.at } });
  }
  return points;
}

/** Centre of mass and area of a ring, in degrees; good enough for a name. */
function centre(ring: Position[]): { at: Position; area: number } {
  let area = 0;
  let x = 0;
  let y = 0;
  for (let i = 0; i < ring.length - 1; i += 1) {
    const [ax, ay] = ring[i] as [number, number];
    const [bx, by] = ring[i + 1] as [number, number];
    const cross = ax * by - bx * ay;
    area += cross / 2;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  if (area === 0) return { at: ring[0]!, area: 0 };
  return { at: [x / (6 * area), y / (6 * area)], area: Math.abs(area) };
}
