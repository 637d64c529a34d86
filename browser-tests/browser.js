// What all browser tests share: pages in fresh profiles, the accessibility check, the sizes of screens.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 900 };
export const SHOTS = [
  { suffix: "desktop-light", options: {} },
  { suffix: "desktop-dark", options: { colorScheme: "dark" } },
  { suffix: "phone-es", options: { viewport: PHONE, locale: "es-MX" } },
];

let profiles;
const contexts = [];

before(async () => {
  profiles = await mkdtemp(join(tmpdir(), "tallyproof-browser-"));
});

after(async () => {
  for (const context of contexts) await context.close();
  await rm(profiles, { recursive: true, force: true });
});

/** A page in a fresh profile; everything the browser complains about is collected in `complaints`. */
export async function open(url, options = {}) {
  const folder = await mkdtemp(join(profiles, "p-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: FLAGS,
    viewport: DESKTOP,
    locale: "en-US",
    ...options,
  });
  contexts.push(context);
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  page.on("response", (response) => response.ok() || complaints.push(`${response.url()} ${response.status()}`));
  if (url) await page.goto(url);
  return { page, complaints, requests };
}

/** What axe finds serious on a page that was opened with `bypassCSP`, its details unfolded. */
export async function serious(page) {
  await unfold(page);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
}

/** Opens every details element. */
export async function unfold(page) {
  await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
}
