import { describe, expect, test } from "vitest";
import { Problem } from "../../src/shared/api.ts";
import type { Progress } from "../../src/shared/contract.ts";
import { exhaustedHalt, haltOf } from "../../src/volunteer/blocks.ts";

const NOW = 1_000_000;
const problem = (status: number, body = {}) => new Problem(status, body, null);
const progress = (done: number) => ({ cells: 10, cells_closed: 0, cells_done: done }) as Progress;

describe("a failure", () => {
  test("without a network is tried again every 30 s at least", () => {
    expect(haltOf(problem(0), 300_000, NOW)).toEqual({
      block: { kind: "offline", until: NOW + 30_000 },
      waitMs: 30_000,
    });
    expect(haltOf(problem(0), 1000, NOW).waitMs).toBe(1000);
  });

  test("of a busy server waits as long as it is told", () => {
    for (const [status, kind] of [
      [429, "limited"],
      [503, "busy"],
    ] as const)
      expect(haltOf(problem(status), 12_000, NOW)).toEqual({
        block: { kind, until: NOW + 12_000 },
        waitMs: 12_000,
      });
  });

  test("that operators want has a card of its own, with their words", () => {
    for (const code of ["read_only", "maintenance", "not_let_in"])
      expect(haltOf(problem(503, { code, message: "Back at four." }), 30_000, NOW).block).toEqual({
        kind: code,
        until: NOW + 30_000,
        message: "Back at four.",
      });
    expect(haltOf(problem(503, { code: "something_new" }), 1000, NOW).block.kind).toBe("busy");
  });

  test("of the server itself names the request", () => {
    const { block } = haltOf(problem(500, { request_id: "r1" }), 1000, NOW);
    expect(block).toEqual({ kind: "trouble", until: NOW + 1000, request_id: "r1" });
  });

  test("for a search that is not open is asked about each minute, however often", () => {
    for (const [code, kind] of [
      ["campaign_paused", "paused"],
      ["campaign_closed", "closed"],
      ["campaign_not_started", "not_started"],
    ]) {
      const halt = haltOf(problem(409, { code }), 300_000, NOW);
      expect(halt.block.kind).toBe(kind);
      expect(halt.waitMs).toBe(60_000);
    }
    expect(haltOf(problem(404), 1000).block.kind).toBe("missing");
  });

  test("the organisers' own words go with a pause", () => {
    expect(haltOf(problem(409, { code: "campaign_paused", message: "At four." }), 0).block).toEqual({
      kind: "paused",
      message: "At four.",
    });
  });
});

describe("nothing to look at", () => {
  test("for good is asked again every five minutes", () => {
    expect(exhaustedHalt(progress(4), null)).toEqual({ block: { kind: "done" }, waitMs: 300_000 });
    expect(exhaustedHalt(null, null).block).toEqual({ kind: "done" });
  });

  test("all cells done is said as such, also while somebody still holds one", () => {
    expect(exhaustedHalt(progress(10), 20_000)).toEqual({ block: { kind: "done" }, waitMs: 20_000 });
  });

  test("squares that others hold are asked for when they may come back, but not at once", () => {
    expect(exhaustedHalt(progress(4), 90_000)).toEqual({ block: { kind: "held" }, waitMs: 90_000 });
    expect(exhaustedHalt(progress(4), 0).waitMs).toBe(5000);
  });
});
