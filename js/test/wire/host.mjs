/** Reads commands as lines of JSON and answers each with a line: see `pages.ts`, which is bundled with this. */
import process from "node:process";
import { createInterface } from "node:readline";
import { answer } from "./pages.ts";

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
