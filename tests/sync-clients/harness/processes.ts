/** `spotter` as child processes on the settings of `spotter dev --services`. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { DEADLINE_MS } from "./eventually.ts";

export type Settings = Record<string, string>;

const program = new URL("../../../target/debug/spotter", import.meta.url).pathname;

/** The program under test. */
export const SPOTTER = process.env.SPOTTER ?? program;

/** Runs a command of the program to its end and gives what it printed. */
export async function spotter(settings: Settings, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(SPOTTER, words, { env: settings });
  return stdout.trim();
}

/** One child process. */
export class Process {
  private constructor(
    private readonly child: ChildProcess,
    /** Where a server listens; empty for a worker. */
    readonly url: string,
  ) {}

  /** Starts a server and waits until it listens. Without a port it takes a free one. */
  static async server(settings: Settings, port = "0"): Promise<Process> {
    const child = start(settings, { PORT: port }, "serve");
    const lines = createInterface({ input: child.stdout! });
    const url = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the server does not listen")), DEADLINE_MS);
      lines.on("line", (line) => {
        if (!line.startsWith("serving at ")) return;
        clearTimeout(late);
        resolve(line.slice("serving at ".length));
      });
      child.on("exit", (code) => reject(new Error(`the server ended with ${code}; see ${settings.LOG_FILE}`)));
    });
    return new Process(child, url);
  }

  static worker(settings: Settings): Process {
    const child = start(settings, {}, "worker");
    child.stdout?.resume();
    return new Process(child, "");
  }

  get port(): string {
    return new URL(this.url).port;
  }

  /** Asks it to stop, as an operator does, or ends it at once, as a power cut does; waits for the end. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await ended;
  }
}

function start(settings: Settings, more: Settings, role: string): ChildProcess {
  const log = openSync(settings.LOG_FILE!, "a");
  const child = spawn(SPOTTER, [role], { env: { ...settings, ...more }, stdio: ["ignore", "pipe", log] });
  closeSync(log);
  return child;
}
