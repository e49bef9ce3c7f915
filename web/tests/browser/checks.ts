/** What must hold in every state of a page: nothing for axe-core to find, nothing cut off. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { PICTURES } from "./visitor.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wantsPictures = process.env.PICTURES === "1";

interface Finding {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

export async function findings(page: Page, without: readonly string[] = []): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const run = `axe.run({ rules: ${JSON.stringify(rules)} }).then((result) => result.violations)`;
  const violations = (await page.evaluate(run)) as Finding[];
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`,
  );
}

/** Texts that lie beside the window, or that a box cuts off without saying so. */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wrong: string[] = [];
    const root = document.scrollingElement!;
    if (root.scrollWidth > root.clientWidth + 1) wrong.push(`the page is ${root.scrollWidth} px wide`);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    /** The part of the window that is left of it by the boxes around, or null where it can be scrolled to. */
    const visible = (element: Element | null): { left: number; right: number } | null => {
      let [left, right] = [0, innerWidth];
      for (let box = element; box && box !== document.body; box = box.parentElement) {
        const style = getComputedStyle(box);
        if (style.position === "absolute" && box.clientWidth <= 1) return null;
        if (/auto|scroll/.test(style.overflowX) && box.scrollWidth > box.clientWidth) return null;
        if (style.textOverflow === "ellipsis") return null;
        if (/hidden|clip/.test(style.overflowX)) {
          const edges = box.getBoundingClientRect();
          left = Math.max(left, edges.left);
          right = Math.min(right, edges.right);
        }
      }
      return { left, right };
    };
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement!;
      if (!node.nodeValue!.trim() || parent.closest("script, style, svg, .maplibregl-map, [hidden]")) continue;
      if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      range.selectNodeContents(node);
      const edges = range.getBoundingClientRect();
      const room = edges.width > 0 ? visible(parent) : null;
      if (room && (edges.left < room.left - 1.5 || edges.right > room.right + 1.5))
        wrong.push(`"${node.nodeValue!.trim().slice(0, 40)}" ${Math.round(edges.left)}–${Math.round(edges.right)}`);
    }
    return wrong;
  });
}

/** As a reader with text twice as large has it (Firefox' text zoom): every font, and every line with it. */
export async function doubleText(page: Page): Promise<void> {
  await page.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>("body *")].filter((element) => element.style);
    for (const { style } of all.filter((element) => element.dataset.doubled)) {
      style.removeProperty("font-size");
      style.removeProperty("line-height");
    }
    const sizes = all.map((element) => {
      const { fontSize, lineHeight } = getComputedStyle(element);
      return { element, fontSize, lineHeight };
    });
    for (const { element, fontSize, lineHeight } of sizes) {
      element.dataset.doubled = "yes";
      element.style.setProperty("font-size", `${parseFloat(fontSize) * 2}px`);
      if (lineHeight !== "normal") element.style.setProperty("line-height", `${parseFloat(lineHeight) * 2}px`);
    }
  });
}

export async function picture(page: Page, name: string): Promise<void> {
  if (!wantsPictures) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png` });
}

/** How a state must hold: in which sizes and themes. */
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
const THEMES = ["dark", "light"] as const;

/** Looks at the state that the page is in, in both themes and as wide as a desktop and as a phone. */
export async function inspect(page: Page, state: string, only?: keyof typeof SIZES): Promise<void> {
  const found: Record<string, string[]> = {};
  const [size, theme] = [page.viewportSize()!, await page.evaluate(() => document.documentElement.dataset.theme)];
  for (const [device, viewport] of Object.entries(SIZES)) {
    if (only && device !== only) continue;
    if (viewport.width !== page.viewportSize()!.width) await page.setViewportSize(viewport);
    for (const colours of THEMES) {
      await page.emulateMedia({ colorScheme: colours });
      await page.evaluate((value) => {
        document.documentElement.dataset.theme = value;
        return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      }, colours);
      const name = `${state} ${device} ${colours}`;
      await settle(page);
      found[name] = await findings(page);
      if (colours === "dark") found[name].push(...(await cutOff(page)));
      await picture(page, name.replaceAll(" ", "-"));
    }
  }
  await page.evaluate((value) => (document.documentElement.dataset.theme = value), theme);
  if (size.width !== page.viewportSize()!.width) await page.setViewportSize(size);
  expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
}

/** Brings everything that moves to its end: axe would judge the colours of a moment. */
function settle(page: Page): Promise<void> {
  return page.evaluate(() => {
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().iterations !== Infinity) animation.finish();
  });
}
