/** What a phone reads only: campaigns here; packs and what became of looks where they are tested by themselves. */

import { describe, expect, inject, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { Scene, STOCKS } from "../harness/scene.ts";

interface Campaign {
  id: string;
  slug: string;
  state: string;
  tag_types: { key: string }[];
}

describe.each(STOCKS)("$name", (stock) => {
  test("campaigns come with what to look for", async (context) => {
    const scene = await Scene.begin(context);
    const phone = await scene.phone(stock, ["campaigns"]);
    phone.connect(scene.network.url);
    const { id, slug } = inject("installation").campaign;
    await eventually("the campaign is there", async () => {
      const campaign = (await phone.held<Campaign>("campaigns"))[id];
      return campaign?.slug === slug;
    });
    const campaign = (await phone.held<Campaign>("campaigns"))[id]!;
    expect(campaign.state).toBe("open");
    expect(campaign.tag_types.map(({ key }) => key)).toEqual(["wreckage", "track"]);
  });
});
