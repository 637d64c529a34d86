// The report of a drill in a reader's browser: opened as a file, nothing loaded, every drawn figure also written.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { open, PHONE, serious, SHOTS, unfold } from "./browser.js";

const report = pathToFileURL(resolve(process.env.REPORT)).href;
const digits = (text) => Number(text.replace(/[^\d]/g, ""));

for (const javaScriptEnabled of [true, false]) {
  test(`the report opens from a file and asks for nothing else, scripts ${javaScriptEnabled ? "on" : "off"}`, async () => {
    const { page, complaints, requests } = await open(report, { javaScriptEnabled });
    const titles = { es: "Informe del simulacro", pt: "Relatório do simulado", en: "Drill report" };
    for (const [tag, title] of Object.entries(titles)) {
      await page.locator(`label[for="lang-${tag}"]`).click();
      assert.equal(await page.locator("header .what").innerText(), title);
      const shown = await page.locator("main span[lang]:visible").evaluateAll((all) => [...new Set(all.map((one) => one.lang))]);
      assert.deepEqual(shown, [tag]);
    }
    assert.deepEqual(complaints, []);
    assert.deepEqual(requests.filter((url) => url !== report && !url.startsWith("data:")), []);
  });
}

test("each drawing is hidden from screen readers and has its figures in a table beside it", async () => {
  const { page } = await open(report);
  const drawings = await page.locator("main svg").evaluateAll((all) =>
    all.map((svg) => ({
      hidden: svg.closest('[aria-hidden="true"]') !== null,
      twin: svg.closest("table") !== null || svg.closest("section").querySelector("table, .figure") !== null,
    })),
  );
  assert.ok(drawings.length > 3, `${drawings.length} drawings`);
  assert.ok(drawings.every(({ hidden, twin }) => hidden && twin));
});

test("seconds and paths add up to the same receipts", async () => {
  const { page } = await open(report);
  await unfold(page);
  const cells = await page.locator('section[aria-labelledby="time"] td.l-receipts').allInnerTexts();
  const last = await page.locator('section[aria-labelledby="time"] td.l-so-far').last().innerText();
  assert.equal(cells.map(digits).reduce((sum, one) => sum + one, 0), digits(last));
  const paths = await page.locator('section[aria-labelledby="paths"] td.l-receipts').allInnerTexts();
  assert.equal(paths.map(digits).reduce((sum, one) => sum + one, 0), digits(last));
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious in the report, ${colorScheme}`, async () => {
    const { page } = await open(report, { colorScheme, bypassCSP: true });
    assert.deepEqual(await serious(page), []);
  });
}

test("on a phone the report never scrolls sideways", async () => {
  const { page } = await open(report, { viewport: PHONE });
  await unfold(page);
  for (const tag of ["en", "es", "pt"]) {
    await page.locator(`label[for="lang-${tag}"]`).click();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= PHONE.width, `${width} wide in ${tag}`);
  }
});

test("the four answers and the head of the drawing stand on the first screen", async () => {
  const { page } = await open(report);
  const { height } = page.viewportSize();
  for (const id of ["in", "holds", "wait", "against", "time"]) {
    const box = await page.locator(`#${id}`).boundingBox();
    assert.ok(box.y + box.height <= height, `#${id} ends at ${box.y + box.height}`);
  }
});

test("screenshots of the report", async () => {
  for (const { suffix, options } of SHOTS) {
    const { page } = await open(report, options);
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `drill-${suffix}.png`), fullPage: true });
  }
});
