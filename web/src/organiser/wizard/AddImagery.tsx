/**
 * A new layer from an address: recognised and tried at once, then stored.
 *
 * Invariant: a secret is only in this form until the layer is stored; it is never kept with the draft.
 */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../../shared/api.ts";
import { organiserCall } from "../session.ts";
import { isWhole, masked, secretHoles, takenAt } from "./address.ts";
import type { Layer, Probed } from "./api.ts";
import { Message, TextField } from "./fields.tsx";
import { boxOf } from "./geometry.ts";
import { listed, say, words } from "./language.ts";
import { keysOf } from "./slug.ts";
import { draft, layers, loadLayers, settings } from "./state.ts";

const PROBE_DELAY_MS = 600;

interface NewLayer {
  address: string;
  secrets: Record<string, string>;
  name: string;
  attribution: string;
  licence: string;
  taken: string;
  resolution: string;
  minZoom: string;
  maxZoom: string;
}

const EMPTY: NewLayer = {
  address: "",
  secrets: {},
  name: "",
  attribution: "",
  licence: "",
  taken: "",
  resolution: "",
  minZoom: "0",
  maxZoom: "19",
};

type Trial = { at: "none" } | { at: "trying" } | { at: "good"; probed: Probed } | { at: "bad"; problem: Problem };

const form = signal<NewLayer>(EMPTY);
const trial = signal<Trial>({ at: "none" });

let turn = 0;

async function probe(): Promise<void> {
  const mine = ++turn;
  const { address, secrets, minZoom, maxZoom } = form.value;
  if (!isWhole(address) || secretHoles(address).some((name) => !secrets[name])) {
    trial.value = { at: "none" };
    return;
  }
  trial.value = { at: "trying" };
  const box = boxOf(draft.value.parts.map((part) => part.geometry));
  const body = {
    url_template: address.trim(),
    secrets,
    min_zoom: Number(minZoom) || 0,
    max_zoom: Number(maxZoom) || 19,
    ...(box ? { near: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] } : {}),
  };
  try {
    const probed = await organiserCall<Probed>("/v1/imagery/probe", { method: "POST", body });
    if (mine === turn) trial.value = { at: "good", probed };
  } catch (error) {
    if (mine === turn) trial.value = { at: "bad", problem: error as Problem };
  }
}

async function add(): Promise<void> {
  const f = form.value;
  const taken = (layers.value ?? []).map((layer) => layer.key);
  const key = keysOf([...taken, f.name]).at(-1)!;
  const probed = trial.value.at === "good" ? trial.value.probed : null;
  const body = {
    key,
    name: f.name.trim(),
    url_template: f.address.trim(),
    secrets: f.secrets,
    min_zoom: Number(f.minZoom) || 0,
    max_zoom: Number(f.maxZoom) || 19,
    tile_size: probed?.width === 512 ? 512 : 256,
    attribution: f.attribution.trim(),
    ...(f.licence.trim() ? { licence: f.licence.trim() } : {}),
    ...(takenAt(f.taken) ? { acquired_at: takenAt(f.taken) } : {}),
    ...(Number(f.resolution) > 0 ? { ground_sample_distance_m: Number(f.resolution) } : {}),
  };
  const layer = await organiserCall<Layer>("/v1/imagery", { method: "POST", body });
  form.value = EMPTY;
  trial.value = { at: "none" };
  await loadLayers();
  settings({ imagery: layer.key });
}

export function AddImagery() {
  const f = form.value;
  const set = (to: Partial<NewLayer>) => (form.value = { ...form.value, ...to });
  const [isFocused, setFocused] = useState(false);
  const holes = secretHoles(f.address);
  useEffect(() => {
    const timer = setTimeout(() => void probe(), PROBE_DELAY_MS);
    return () => clearTimeout(timer);
  }, [f.address, JSON.stringify(f.secrets), f.minZoom, f.maxZoom]);
  const found = trial.value.at === "good" ? trial.value.probed.secrets_found : [];
  return (
    <div class="blk">
      <h2>{say("add_imagery")}</h2>
      <TextField
        id="u-address"
        label={say("address_label")}
        type="url"
        value={isFocused ? f.address : masked(f.address, found)}
        help={say("address_help", { example: "{z}/{x}/{y}, {quadkey}" })}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onInput={(address) => set({ address })}
      />
      {holes.map((name) => (
        <TextField
          key={name}
          id={`u-secret-${name}`}
          label={say("secret_label", { name })}
          type="password"
          value={f.secrets[name] ?? ""}
          onInput={(value) => set({ secrets: { ...f.secrets, [name]: value } })}
        />
      ))}
      <TrialMessage />
      {trial.value.at === "good" && <Provenance form={f} set={set} />}
    </div>
  );
}

/** Kinds of templates, as those who make them write them. */
const KINDS: Record<string, string> = { xyz: "XYZ", tms: "TMS", wmts: "WMTS", wms: "WMS", quadkey: "Quadkey" };

function TrialMessage() {
  const now = trial.value;
  if (now.at === "none") return null;
  if (now.at === "trying")
    return (
      <p class="help" role="status">
        {say("probing")}
      </p>
    );
  if (now.at === "good") {
    const { kind, millis, media_type, width, height, secrets_found } = now.probed;
    const image = media_type.replace("image/", "").toUpperCase();
    const holes = { kind: KINDS[kind] ?? kind, ms: words.number(millis), image, size: `${width} × ${height}` };
    return (
      <Message tone="good">
        {say("probe_good", holes)} {secrets_found.length > 0 && say("secret_stored")}
      </Message>
    );
  }
  const { body, isOffline } = now.problem;
  if (isOffline) return <Message tone="warn">{say("probe_offline")}</Message>;
  return (
    <Message tone="bad">
      <b>{say(body.code === "template_refused" ? "template_refused" : "tile_failed")}</b>
      <span lang="en">{listed(body.errors?.map((error) => error.detail) ?? []) || body.detail}</span>{" "}
      <button type="button" class="btn sm" onClick={() => void probe()}>
        {say("try_again")}
      </button>
    </Message>
  );
}

function Provenance({ form: f, set }: { form: NewLayer; set: (to: Partial<NewLayer>) => void }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isUndated = f.taken.trim() !== "" && takenAt(f.taken) === null;
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    await add().catch(setProblem);
    setBusy(false);
  };
  return (
    <>
      <ProvenanceFields form={f} set={set} />
      {problem && (
        <Message tone="bad">
          <b>{say(problem.isOffline ? "layer_offline" : "layer_refused")}</b>
          <span lang="en">
            {listed(problem.body.errors?.map((error) => error.detail) ?? []) || problem.body.detail}
          </span>
        </Message>
      )}
      <button
        type="button"
        class="btn add"
        disabled={isBusy || !f.name.trim() || isUndated}
        onClick={() => void submit()}
      >
        {say("store_layer")}
      </button>
      {!f.name.trim() && <p class="help">{say("layer_needs_name")}</p>}
    </>
  );
}

function ProvenanceFields({ form: f, set }: { form: NewLayer; set: (to: Partial<NewLayer>) => void }) {
  const isUndated = f.taken.trim() !== "" && takenAt(f.taken) === null;
  return (
    <>
      <TextField id="u-name" label={say("layer_name")} value={f.name} most={500} onInput={(name) => set({ name })} />
      <div class="pair">
        <TextField
          id="u-attribution"
          label={say("attribution")}
          most={500}
          value={f.attribution}
          onInput={(attribution) => set({ attribution })}
        />
        <TextField
          id="u-licence"
          label={say("licence")}
          most={500}
          value={f.licence}
          onInput={(licence) => set({ licence })}
        />
      </div>
      <div class="pair">
        <TextField
          id="u-taken"
          label={say("taken_at")}
          value={f.taken}
          wrong={isUndated ? say("taken_wrong") : null}
          onInput={(taken) => set({ taken })}
        />
        <TextField
          id="u-resolution"
          label={say("resolution")}
          type="number"
          value={f.resolution}
          onInput={(resolution) => set({ resolution })}
        />
      </div>
      <div class="pair">
        <TextField
          id="u-min"
          label={say("min_zoom")}
          type="number"
          value={f.minZoom}
          onInput={(minZoom) => set({ minZoom })}
        />
        <TextField
          id="u-max"
          label={say("max_zoom")}
          type="number"
          value={f.maxZoom}
          onInput={(maxZoom) => set({ maxZoom })}
        />
      </div>
    </>
  );
}
