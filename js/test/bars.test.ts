import { describe, expect, it } from "vitest";
import { createRandom } from "../dev/synthetic";
import {
  type BarLayout,
  createHighestPerColumn,
  createMedianPerColumn,
  layOutBars,
  WIDEST,
} from "../src/geometry/bars";
import type { Range } from "../src/geometry/viewport";
import { growingColumn } from "../src/state/growing_column";
import { createSeries } from "../src/state/series";
import { seriesOf } from "./chunks";

const columns = (layout: BarLayout) => Array.from({ length: layout.columns }, (_, column) => column);

describe("the layout of bars", () => {
  it("gives few bars whole pixels each, up to a limit", () => {
    expect(layOutBars(3, null, 900).right(0)).toBe(12);
    const layout = layOutBars(300, null, 900);
    expect(columns(layout).every((column) => layout.right(column) - layout.left(column) === 3)).toBe(true);
  });

  it.each([
    [1, null, 900],
    [299, null, 900],
    [301, null, 900],
    [901, null, 900],
    [5000, null, 900],
    [100_000, null, 1516],
    [1_000_000, null, 516],
    [300, { start: 20.4, end: 110.4 }, 900],
    [5000, { start: 17.3, end: 1717.3 }, 900],
    [5000, { start: 4300, end: 5000 }, 900],
    [5000, { start: 3000, end: 5000 }, 900],
  ])("of %i batches, window %j, fits %i pixels without gap or overlap", (length, window, width) => {
    const layout = layOutBars(length, window, width);
    expect(layout.left(0)).toBe(0);
    expect(layout.right(layout.columns - 1)).toBeLessThanOrEqual(width);
    for (const column of columns(layout)) {
      expect(layout.right(column)).toBe(layout.left(column + 1));
      expect(layout.first(column + 1)).toBeGreaterThan(layout.first(column));
      expect([layout.columnOf(layout.first(column)), layout.columnOf(layout.first(column + 1) - 1)]).toEqual([
        column,
        column,
      ]);
      expect([layout.columnAt(layout.left(column)), layout.columnAt(layout.right(column) - 0.01)]).toEqual([
        column,
        column,
      ]);
    }
    expect([layout.columnAt(-1), layout.columnAt(layout.right(layout.columns - 1))]).toEqual([null, null]);
    if (!window) expect([layout.first(0), layout.first(layout.columns)]).toEqual([0, length]);
    else expect(Math.abs(layout.first(0) - window.start)).toBeLessThanOrEqual(Math.max(1, layout.perColumn));
  });

  it("of a whole run leaves little empty, however long the run", () => {
    for (let length = 900; length < 3_000_000; length = Math.ceil(length * 1.0137)) {
      const layout = layOutBars(length, null, 900);
      expect(layout.right(layout.columns - 1)).toBeGreaterThan(850);
    }
  });

  it("stays while a long run grows a little, and while a window is panned", () => {
    const edges = (layout: BarLayout) => columns(layout).map(layout.first);
    expect(edges(layOutBars(100_040, null, 900)).slice(0, 800)).toEqual(
      edges(layOutBars(100_000, null, 900)).slice(0, 800),
    );
    const before = layOutBars(100_000, { start: 50_000, end: 60_000 }, 900);
    const after = layOutBars(100_000, { start: 50_100, end: 60_100 }, 900);
    expect(edges(after).slice(0, 800)).toEqual(edges(before).slice(9, 809));
  });

  it("shows the end of the run in a window at the end", () => {
    for (const count of [93.75, 200, 500, 1000, 7777]) {
      const layout = layOutBars(50_003, { start: 50_003 - count, end: 50_003 }, 900);
      expect(layout.columnOf(50_002)).toBe(layout.columns - 1);
    }
  });

  it("translates offsets to positions and back", () => {
    for (const window of [null, { start: 100, end: 180 }, { start: 100, end: 4000 }]) {
      const layout = layOutBars(5000, window, 900);
      for (const offset of [0, 10.5, 400]) expect(layout.offsetOf(layout.positionAt(offset))).toBeCloseTo(offset);
    }
  });

  it("zooms in to the widest bar", () => {
    const layout = layOutBars(5000, { start: 10, end: 10 + 900 / WIDEST }, 900);
    expect([layout.columns, layout.right(0)]).toEqual([75, 12]);
  });
});

describe("columns of several batches", () => {
  it("draw exactly the highest, whatever run and window", () => {
    const random = createRandom(5);
    const values = Array.from({ length: 30_000 }, () => (random() < 0.02 ? Number.NaN : random() ** 8));
    const series = seriesOf(values);
    for (const window of [null, { start: 123.4, end: 9876.5 }, { start: 29_000, end: 30_000 }]) {
      const layout = layOutBars(values.length, window, 700);
      createHighestPerColumn()(series, layout).forEach((index, column) => {
        const finite = Array.from(series.values().slice(layout.first(column), layout.first(column + 1))).filter(
          Number.isFinite,
        );
        if (finite.length > 0) expect(series.values()[index]).toBe(Math.max(...finite));
        else expect(index).toBe(layout.first(column));
      });
    }
  });

  it("draw their median", () => {
    const series = seriesOf([3, 1, 2, 10, Number.NaN, 20]);
    const layout = { ...layOutBars(6, null, 900), columns: 2, first: (column: number) => column * 3 };
    expect(Array.from(createMedianPerColumn()(series, layout))).toEqual([2, 15]);
    expect(Array.from(createHighestPerColumn()(series, layout))).toEqual([0, 5]);
  });

  it("prefer a finite bar to one that is not", () => {
    const layout = { ...layOutBars(3, null, 900), columns: 1, first: (column: number) => column * 3 };
    expect(Array.from(createHighestPerColumn()(seriesOf([Number.NaN, 1, 2]), layout))).toEqual([2]);
    expect(Array.from(createHighestPerColumn()(seriesOf([1, Number.POSITIVE_INFINITY, Number.NaN]), layout))).toEqual([
      0,
    ]);
    expect(Array.from(createHighestPerColumn()(seriesOf([Number.NaN, Number.NaN, Number.NaN]), layout))).toEqual([0]);
  });

  it("are as if all were worked out anew, however the run grows and the view moves", () => {
    const random = createRandom(11);
    const [grown, other] = [growing(), growing()];
    const grow = (count: number) => {
      for (const { append } of [grown, other]) append(Float32Array.from({ length: count }, () => random() ** 4));
    };
    grow(3000);
    const [highest, median] = [createHighestPerColumn(), createMedianPerColumn()];
    let window: Range | null = null;
    let width = 300;
    for (let drawing = 0; drawing < 400; drawing += 1) {
      const what = random();
      if (what < 0.5) grow(Math.floor(random() * 40));
      else if (what < 0.75 && window) window = moved(window, Math.round(400 * random() - 200));
      else if (what < 0.8) window = null;
      else if (what < 0.95) window = moved({ start: 0, end: 30 + 2500 * random() }, 400 * random());
      else width = 200 + Math.floor(random() * 200);
      const { series } = random() < 0.1 ? other : grown;
      const layout = layOutBars(series.values().length, window, width);
      expect(highest(series, layout)).toEqual(createHighestPerColumn()(series, layout));
      expect(median(series, layout)).toEqual(createMedianPerColumn()(series, layout));
    }
  });

  it("are worked out once, but for the newest, which still grows", () => {
    const { append, series } = growing();
    append(new Float32Array(100_000).fill(1));
    let asked = 0;
    const counting = {
      ...series,
      median(from: number, to: number) {
        asked += 1;
        return series.median(from, to);
      },
    };
    const median = createMedianPerColumn();
    expect(median(counting, layOutBars(100_000, null, 900)).length).toBe(asked);
    asked = 0;
    append(new Float32Array(10).fill(1));
    median(counting, layOutBars(100_010, null, 900));
    expect(asked).toBe(1);
  });
});

/** A series that can grow. */
function growing() {
  const column = growingColumn((capacity) => new Float32Array(capacity));
  return { append: column.append, series: createSeries(column) };
}

const moved = ({ start, end }: Range, by: number): Range => {
  const shift = Math.max(by, -start);
  return { start: start + shift, end: end + shift };
};
