/**
 * The service worker: keeps the volunteer's page for times without a network.
 *
 * Invariant: a page comes from the server whenever it can be reached, so nobody stays with the pages of an older
 * program; the kept page and the files that it needs are of one build. Answers of the API are never kept, but for
 * tiles, which the page keeps itself and which never change.
 */
import { isTile, type LastRequest, TILES } from "./names.ts";

/** Put in by the build: the files of the volunteer's page, and the SHA-256 of the page itself. */
declare const FILES: string[];
declare const PAGE_SHA256: string;

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  request: Request;
  preloadResponse: Promise<Response | undefined>;
  respondWith(answer: Promise<Response>): void;
}

interface WorkerScope {
  registration: ServiceWorkerRegistration;
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: ExtendableEvent & { data: LastRequest }) => void): void;
}

const worker = self as unknown as WorkerScope;

/** The kept page is the same for every search; this address is none of them. */
const PAGE = "/s/-";
const PAGES = /^\/s\/[^/]+\/?$/;
const KEPT = "spotter-page-";
const HERE = KEPT + PAGE_SHA256.slice(0, 16);
/** A network that is there and brings nothing: then the kept page is better than none. */
const PATIENCE_MS = 8000;
/** Said by what stands before a server that is away. */
const AWAY = [502, 504];

worker.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.test(pathname)) event.respondWith(page(event));
  } else if (pathname.startsWith("/assets/") || pathname === "/favicon.svg") {
    event.respondWith(keptOr(HERE, request));
  } else if (isTile(pathname)) {
    event.respondWith(keptOr(TILES, request));
  }
});

// What a page with a worker asks for while it goes away is lost with it, `keepalive` or not, so the worker asks instead.
worker.addEventListener("message", (event) => {
  const { path, headers, body } = event.data;
  event.waitUntil(fetch(path, { method: "POST", headers, body }).catch(() => {}));
});

/** Fails, and is tried again later, while servers of two programs answer side by side. */
async function keep(): Promise<void> {
  const cache = await caches.open(HERE);
  // Their names are those of their bytes, so whatever the browser has of them is right.
  await cache.addAll(FILES);
  const answer = await fetch(PAGE, { cache: "no-cache" });
  const bytes = await answer.clone().arrayBuffer();
  if (!answer.ok || (await sha256(bytes)) !== PAGE_SHA256) throw new Error("the server has another page");
  await cache.put(PAGE, answer);
}

async function forget(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(KEPT) && name !== HERE).map((name) => caches.delete(name)));
  // Else each page would wait until this worker has started.
  await worker.registration.navigationPreload?.enable();
}

async function page(event: FetchEvent): Promise<Response> {
  const asked = Promise.resolve(event.preloadResponse).then((answer) => answer ?? fetch(event.request));
  event.waitUntil(asked.catch(() => {}));
  const answer = await Promise.race([asked.catch(() => null), pause(PATIENCE_MS)]);
  if (answer && !AWAY.includes(answer.status)) return answer;
  return (await caches.match(PAGE, { cacheName: HERE })) ?? answer ?? asked;
}

async function keptOr(cacheName: string, request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName, ignoreVary: true })) ?? fetch(request);
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pause(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms));
}
