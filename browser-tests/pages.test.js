// What a reader's browser makes of the pages: with and without JavaScript, in three languages, light and dark, on a phone.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DESKTOP, open as openUrl, PHONE, serious, SHOTS, unfold } from "./browser.js";
import { serve } from "./serve.js";

const bundle = process.env.BUNDLE;
const screenshots = process.env.SCREENSHOTS;

const pages = (await readdir(join(bundle, "site"))).filter((name) => name.endsWith(".html")).sort();
const contests = pages.filter((name) => /^contest-\d+\.html$/.test(name));
// Every kind of page, and not hundreds of one kind.
const lists = pages.filter((name) => name.startsWith("stations-"));
const sample = ["index.html", ...contests.slice(0, 3), ...lists.slice(0, 3)];
const totals = JSON.parse(await readFile(join(bundle, "index/totals.json"), "utf8"));

// Bulletins lie beside the site, each page with its other forms.
const bulletins = await readdir(join(bundle, "bulletins")).catch(() => []);
sample.push(...bulletins.slice(0, 2).map((number) => `../bulletins/${number}/bulletin.html`));

let origin, stop;

before(async () => {
  ({ origin, stop } = await serve(bundle));
});

after(async () => stop());

/** A page of the site, or whatever a URL names. */
const open = (path, options) => openUrl(path && (path.startsWith("file:") ? path : `${origin}/site/${path}`), options);

/** What a reader sees of an element, thin spaces included. */
const seen = (page, selector) => page.locator(selector).first().innerText();
const digits = (text) => Number(text.replace(/[^\d]/g, ""));

for (const javaScriptEnabled of [true, false]) {
  test(`pages load without a complaint, scripts ${javaScriptEnabled ? "on" : "off"}`, async () => {
    const { page, complaints } = await open(null, { javaScriptEnabled });
    for (const name of sample) {
      await page.goto(`${origin}/site/${name}`);
      assert.ok((await seen(page, "h1")).length > 0, name);
    }
    assert.deepEqual(complaints, []);
  });
}

test("pages work when opened from a folder", async () => {
  const { page, complaints } = await open(pathToFileURL(join(bundle, "site/index.html")).href);
  await page.locator("main a").first().click();
  assert.match(page.url(), /contest-1\.html$/);
  const family = await page.locator(".questions").evaluate((element) => getComputedStyle(element).display);
  assert.equal(family, "grid", "the style sheet applies");
  assert.deepEqual(complaints, []);
});

test("figures on the pages equal index/totals.json", async () => {
  const { page } = await open("index.html");
  const names = await page.locator(".contests h3").allInnerTexts();
  assert.equal(names.length, Object.keys(totals.contests).length);
  const found = [];
  for (const name of contests) {
    await page.goto(`${origin}/site/${name}`);
    const votes = await page.locator('section[aria-labelledby="candidates"] data').evaluateAll((cells) =>
      cells.map((cell) => ({ value: Number(cell.value), shown: Number(cell.innerText.replace(/[^\d]/g, "")) })),
    );
    for (const { value, shown } of votes) assert.equal(shown, value, name);
    const [counted, held] = (await seen(page, ".q-in .figure")).match(/[\d\s]+/g).map(digits);
    found.push({ votes: votes.map(({ value }) => value).sort((a, b) => a - b), counted, held });
  }
  const expected = Object.values(totals.contests).map(({ whole }) => ({
    votes: Object.values(whole.candidates).sort((a, b) => a - b),
    counted: whole.stations.counted,
    held: whole.stations.expected,
  }));
  const key = (contest) => JSON.stringify(contest);
  assert.deepEqual(found.map(key).sort(), expected.map(key).sort());
});

for (const javaScriptEnabled of [true, false]) {
  test(`the language changes in place, scripts ${javaScriptEnabled ? "on" : "off"}`, async () => {
    const { page } = await open("contest-1.html", { javaScriptEnabled });
    const url = page.url();
    const questions = {
      es: "¿Cuánto ha llegado?",
      pt: "Quanto já chegou?",
      en: "How much is in?",
    };
    for (const [tag, question] of Object.entries(questions)) {
      await page.locator(`label[for="lang-${tag}"]`).click();
      assert.equal(await seen(page, "#in"), question);
      assert.equal(await page.locator('main span[lang]:visible').first().getAttribute("lang"), tag);
      const shown = await page.locator("main span[lang]:visible").evaluateAll((spans) => [...new Set(spans.map((s) => s.lang))]);
      assert.deepEqual(shown, [tag]);
    }
    assert.equal(page.url(), url);
  });
}

test("with scripts the language stays from page to page", async () => {
  const { page } = await open("index.html");
  await page.locator('label[for="lang-pt"]').click();
  await page.locator(".contests a").first().click();
  // The click returns when the page begins; without its style sheet it shows every language.
  await page.waitForLoadState();
  assert.equal(await seen(page, "#in"), "Quanto já chegou?");
  assert.equal(await page.locator("html").getAttribute("lang"), "pt");
});

test("a first visit follows the browser's language", async () => {
  const { page } = await open("contest-1.html", { locale: "es-MX" });
  assert.equal(await seen(page, "#in"), "¿Cuánto ha llegado?");
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious, ${colorScheme}`, async () => {
    const { page } = await open(null, { colorScheme, bypassCSP: true });
    for (const name of sample) {
      await page.goto(`${origin}/site/${name}`);
      assert.deepEqual(await serious(page), [], name);
    }
  });
}

test("a phone never scrolls sideways", async () => {
  const { page } = await open(null, { viewport: PHONE });
  for (const name of sample) {
    await page.goto(`${origin}/site/${name}`);
    for (const tag of ["en", "es", "pt"]) {
      await page.locator(`label[for="lang-${tag}"]`).click();
      await unfold(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= PHONE.width, `${name} in ${tag} is ${width} wide`);
    }
  }
});

test("the four questions stand above the fold on a desktop", async () => {
  const { page } = await open("contest-1.html");
  for (const id of ["in", "sum", "order", "check"]) {
    const box = await page.locator(`#${id}`).boundingBox();
    assert.ok(box.y + box.height <= DESKTOP.height, `#${id} ends at ${box.y + box.height}`);
  }
});

test("a drill says so on every page in three languages; an official count does not", async () => {
  const { page } = await open(null);
  for (const name of pages.slice(0, 40)) {
    await page.goto(`${origin}/site/${name}`);
    const texts = await page.locator(".drill p:visible").allInnerTexts();
    assert.equal(texts.length, totals.phase === "drill" ? 3 : 0, name);
    if (texts.length > 0) {
      const words = texts.join(" ");
      for (const word of ["Drill", "Simulacro", "Simulado"]) assert.ok(words.includes(word), `${name}: ${word}`);
      const top = await page.locator(".drill").boundingBox();
      assert.ok(top.y < 10, `${name}: the banner comes first`);
    }
  }
});

test("a bulletin's page says the figures of its document, and the index leads to it", { skip: bulletins.length === 0 }, async () => {
  const { page } = await open("index.html");
  const hrefs = await page.locator("#bulletins ~ table a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  for (const number of bulletins) {
    for (const file of await readdir(join(bundle, "bulletins", number))) {
      if (file.startsWith("bulletin.")) assert.ok(hrefs.includes(`../bulletins/${number}/${file}`), `${number}/${file}`);
    }
    const document = JSON.parse(await readFile(join(bundle, "bulletins", number, "bulletin.json"), "utf8"));
    assert.equal(document.number, Number(number));
    await page.goto(`${origin}/bulletins/${number}/bulletin.html`);
    const text = (await page.locator("main").innerText()).replace(/[^\dA-Za-z]/g, "");
    assert.ok(text.includes(document.root) || text.includes(`${document.tree_size}`), "the tree size stands on the page");
  }
});

test("every link leads somewhere", async () => {
  const { page } = await open(null, { javaScriptEnabled: true });
  const anchors = new Map();
  const links = [];
  for (const name of [...pages.slice(0, 60), ...sample.filter((name) => name.startsWith("../"))]) {
    await page.goto(`${origin}/site/${name}`);
    anchors.set(page.url(), new Set(await page.locator("[id]").evaluateAll((all) => all.map((one) => one.id))));
    const hrefs = await page
      .locator("a[href]")
      .evaluateAll((all) => [...new Set(all.map((one) => new URL(one.getAttribute("href"), location.href).href))]);
    links.push(...hrefs.map((href) => ({ name, url: new URL(href) })));
  }
  const status = new Map();
  for (const { name, url } of links) {
    assert.equal(url.origin, origin, `${name} links to ${url}`);
    const target = url.origin + url.pathname;
    if (!status.has(target)) status.set(target, (await fetch(target)).status);
    assert.equal(status.get(target), 200, `${name} links to ${target}`);
    const known = anchors.get(target);
    if (url.hash && known) assert.ok(known.has(url.hash.slice(1)), `${name} links to ${url}`);
  }
});

test("screenshots", async () => {
  for (const { suffix, options } of SHOTS) {
    const { page } = await open(null, options);
    for (const name of sample) {
      await page.goto(`${origin}/site/${name}`);
      const path = join(screenshots, `${name.replace("../", "").replaceAll("/", "-").replace(".html", "")}-${suffix}.png`);
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.screenshot({ path, fullPage: height < 8000 });
    }
  }
});
