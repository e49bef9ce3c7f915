import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Problem } from "../../src/shared/api.ts";

type Here = typeof import("../../src/volunteer/volunteer.ts");

/** Status and body. */
type Refusal = readonly [number, unknown];

interface Asked {
  path: string;
  token: string | null;
  body: unknown;
}

const KEY = "spotter.volunteer";
const OLD = { volunteer_id: "v-old", token: "old" };
const FORGOTTEN: Refusal = [403, { code: "volunteer_forgotten" }];
const NOT_KNOWN: Refusal = [401, { code: "token_refused" }];

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

let page: Here;
let storage: Map<string, string>;
let asked: Asked[];
/** What each token is answered with; one that is not here is taken. */
let refusals: Map<string | null, Refusal>;
/** The answer to each sign-up; none is a new volunteer. */
let signUp: () => Response | Promise<Response> | null;
let enrolled: number;

const calls = () => asked.filter(({ path }) => path !== "/v1/volunteers");
const problemOf = (call: Promise<unknown>) => call.then(() => null).catch((problem: Problem) => problem);
const storedHere = () => JSON.parse(storage.get(KEY)!) as typeof OLD;

beforeEach(async () => {
  [storage, asked, refusals, enrolled] = [new Map([[KEY, JSON.stringify(OLD)]]), [], new Map(), 0];
  signUp = () => null;
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => void storage.set(key, value),
  });
  vi.stubGlobal("fetch", async (path: string, { headers, body }: RequestInit) => {
    const token = (headers as Record<string, string>).Authorization?.replace("Bearer ", "") ?? null;
    asked.push({ path, token, body: body ? JSON.parse(body as string) : null });
    if (path === "/v1/volunteers") {
      const other = signUp();
      if (other) return other;
      enrolled += 1;
      return json(201, { volunteer_id: `v-new-${enrolled}`, token: `new-${enrolled}` });
    }
    const refusal = refusals.get(token);
    return refusal ? json(...refusal) : json(200, { as: token });
  });
  // Each test is a page of its own.
  vi.resetModules();
  page = await import("../../src/volunteer/volunteer.ts");
  page.adopt(Promise.resolve(OLD));
});

afterEach(() => vi.unstubAllGlobals());

describe.each<[string, Refusal]>([
  ["whose volunteer was forgotten", FORGOTTEN],
  ["that the server does not know", NOT_KNOWN],
])("a token %s", (_, refusal) => {
  beforeEach(() => refusals.set("old", refusal));

  test("is replaced in silence, and the same call goes out again as the new volunteer's", async () => {
    const body = { looks: ["unsent"] };
    expect(await page.callAsVolunteer("/v1/x", { method: "POST", body })).toEqual({ as: "new-1" });
    expect(calls()).toEqual([
      { path: "/v1/x", token: "old", body },
      { path: "/v1/x", token: "new-1", body },
    ]);
  });

  test("is not used again, by this page or a later one", async () => {
    await page.callAsVolunteer("/v1/x");
    await page.callAsVolunteer("/v1/y");
    expect(calls().map(({ token }) => token)).toEqual(["old", "new-1", "new-1"]);
    expect(storedHere()).toEqual({ volunteer_id: "v-new-1", token: "new-1" });
    expect([page.volunteerHere(), page.tokenAtHand()]).toEqual(["v-new-1", "new-1"]);
  });

  test("makes one new volunteer, however many calls fail at once", async () => {
    const answers = await Promise.all(["/v1/x", "/v1/y", "/v1/z"].map((path) => page.callAsVolunteer(path)));
    expect(answers).toEqual([{ as: "new-1" }, { as: "new-1" }, { as: "new-1" }]);
    expect(enrolled).toBe(1);
  });

  test("makes one new volunteer, also when a call hears of it only after the others went on", async () => {
    let tell = (_: Response) => {};
    const late = new Promise<Response>((resolve) => (tell = resolve));
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
      vi.stubGlobal("fetch", fetch);
      return path === "/v1/late" ? late : fetch(path, init);
    });
    const waiting = page.callAsVolunteer("/v1/late");
    await vi.waitFor(() => expect(globalThis.fetch).toBe(fetch));
    await page.callAsVolunteer("/v1/x");
    tell(json(...refusal));
    expect(await waiting).toEqual({ as: "new-1" });
    expect(enrolled).toBe(1);
  });

  test("makes none where another tab has a new one already", async () => {
    storage.set(KEY, JSON.stringify({ volunteer_id: "v-tab", token: "tab" }));
    expect(await page.callAsVolunteer("/v1/x")).toEqual({ as: "tab" });
    expect(enrolled).toBe(0);
  });

  test("is replaced once for each call: a new token that is refused too is the caller's to hear of", async () => {
    for (let i = 1; i < 10; i++) refusals.set(`new-${i}`, refusal);
    const problem = await problemOf(page.callAsVolunteer("/v1/x"));
    expect([problem?.status, problem?.body]).toEqual(refusal);
    expect(calls().map(({ token }) => token)).toEqual(["old", "new-1"]);
    expect(enrolled).toBe(1);
  });

  test("is replaced by a later call when signing up failed, and the failure is told", async () => {
    signUp = () => json(503, { code: "overloaded" });
    const problems = await Promise.all(["/v1/x", "/v1/y"].map((path) => problemOf(page.callAsVolunteer(path))));
    expect(problems.map((problem) => problem?.status)).toEqual([503, 503]);
    expect(storedHere()).toEqual(OLD);
    signUp = () => null;
    expect(await page.callAsVolunteer("/v1/x")).toEqual({ as: "new-1" });
    expect(enrolled).toBe(1);
  });
});

test.each([
  ["a 403 of another code", 403, { code: "volunteer_needed" }],
  ["a 403 without a code, as something on the way may answer", 403, {}],
  ["a 404", 404, { code: "not_found" }],
  ["a server that is away", 503, { code: "maintenance" }],
])("%s changes nobody: it is told as it came", async (_, status, body) => {
  refusals.set("old", [status, body]);
  const problem = await problemOf(page.callAsVolunteer("/v1/x"));
  expect(problem).toMatchObject({ status, body });
  expect(asked).toHaveLength(1);
  expect(storedHere()).toEqual(OLD);
});
