// The built page in a browser, as a person has it: `make page-test` starts this.
//
// node end_to_end.mjs FOLDER: FOLDER/folder and FOLDER/single are pages, FOLDER/expected.json has
// Python's pixels, FOLDER/toy.json the steps of the library's trainers. It writes FOLDER/*.png,
// prints what it measured, and ends with 1 where something is wrong.

import { createRequire } from "node:module";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const work = path.resolve(process.argv[2]);
const require = createRequire(path.join(work, "npm", "package.json"));
const { chromium } = require("playwright-core");
const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const found = { chromium: browser.version() };
const wrong = [];

function check(what, holds, seen = "") {
  console.log(`${holds ? "ok   " : "WRONG"} ${what}${seen === "" ? "" : `: ${seen}`}`);
  if (!holds) wrong.push(what);
}

// === A server of the folder, without special headers ===

const KINDS = { ".html": "text/html", ".js": "text/javascript", ".png": "image/png" };
const server = http.createServer((request, response) => {
  const name = new URL(request.url, "http://host").pathname.replace(/\/$/, "/index.html");
  const file = path.join(work, "folder", name);
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": KINDS[path.extname(file)] ?? "text/plain" });
  fs.createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const served = `http://127.0.0.1:${server.address().port}/`;

// === A page whose every console line, error and request is kept ===

async function open(url, width, scheme = "light") {
  const page = await browser.newPage({
    viewport: { width, height: 860 },
    hasTouch: width < 700,
    colorScheme: scheme,
  });
  page.setDefaultTimeout(120000); // Other work may run on the machine.
  const [said, asked] = [[], []];
  page.on("console", (line) => said.push(`${line.type()}: ${line.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => asked.push(request.url()));
  const began = Date.now();
  await page.goto(url);
  await page.waitForFunction(() => document.getElementById("large").dataset.drawn);
  const first = Date.now() - began;
  await page.waitForFunction(() => !document.getElementById("status").textContent);
  return { page, said, asked, first };
}

const pixelsOf = (page, id) =>
  page.evaluate((name) => {
    const canvas = document.getElementById(name);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [...data].filter((_, i) => i % 4 === 0);
  }, id);

const drawn = (page) =>
  page.evaluate(() => Number(document.getElementById("large").dataset.drawn));

async function chosen(page, group, value) {
  await page.locator(`#${group} input[value="${value}"]`).check({ force: true });
}

// Until the large picture is that of the link, and the rest of the page has had its time.
async function settled(page) {
  await page.waitForTimeout(250);
  await page.waitForFunction(
    () => document.getElementById("large").dataset.shows === location.hash,
  );
}

// === 1. Opened from the disk and from a server: the first picture, silence, no request ===

const places = {
  folder: pathToFileURL(path.join(work, "folder", "index.html")).href,
  single: pathToFileURL(path.join(work, "single", "index.html")).href,
  served,
};
for (const [name, url] of Object.entries(places)) {
  const { page, said, asked, first } = await open(url, 1280);
  const outside = asked.filter(
    (one) => !/^(file:|blob:|data:)/.test(one) && !one.startsWith(served),
  );
  check(`${name}: no request leaves the host`, outside.length === 0, outside.join(" "));
  if (name === "single") {
    const files = asked.filter((one) => one.startsWith("file:"));
    check("single: nothing is loaded but the file itself", files.length === 1, files.length);
  }
  check(`${name}: no console line`, said.length === 0, said.join(" | "));
  found[`first picture, ${name} (ms)`] = first;
  await page.close();
}

// === 2. Python's pixels ===

const { page, said, asked } = await open(served, 1280);
const expected = JSON.parse(fs.readFileSync(path.join(work, "expected.json")));
let [different, largest, total, far] = [0, 0, 0, 0];
for (const { model, seed, label, pixels, points } of expected) {
  await page.evaluate(
    (hash) => (location.hash = hash),
    `model=${model}&seed=${seed}${label === null ? "" : `&class=${label}`}`,
  );
  await settled(page);
  check(`${model} ${seed}: the seed box has it`, (await page.inputValue("#seed")) === seed);
  if (pixels) {
    const seen = await pixelsOf(page, "large");
    const off = seen.map((x, i) => Math.abs(x - pixels[i]));
    const many = off.filter(Boolean).length;
    if (many)
      console.log(`      ${model} ${seed}: ${many} pixels differ, by ${Math.max(...off)}`);
    different += many;
    largest = Math.max(largest, ...off);
    total += pixels.length;
    if (seen.length !== pixels.length) far = Infinity;
  } else {
    const seen = await page.evaluate(
      async ([name, text]) => {
        const { manifest, latent, generate } = globalThis.ganZoo;
        const one = manifest.models.find((m) => m.name === name);
        return [...(await generate(one, [latent(one.prior, one.latent_dim, BigInt(text))], [0]))];
      },
      [model, seed],
    );
    far = Math.max(far, ...seen.map((x, i) => Math.abs(x - points[i])));
  }
}
found["pixels that differ from Python's"] = `${different} of ${total}, ${largest} level at most`;
check("pixels equal Python's", largest <= 1 && different <= total / 10000, different);
check("points equal Python's to 1e-5", far < 1e-5, far);

// === 3. Dragging ===

await page.evaluate(() => (location.hash = "model=conditional_dcgan_mnist&seed=3&class=4"));
await settled(page);
const box = await page.locator("#map").boundingBox();
const before = await pixelsOf(page, "large");
const [count, began] = [await drawn(page), Date.now()];
await page.mouse.move(box.x + 20, box.y + 20);
await page.mouse.down();
for (let i = 0; Date.now() - began < 2000; i++) {
  const turn = i / 40;
  await page.mouse.move(
    box.x + box.width * (0.5 + 0.4 * Math.cos(turn)),
    box.y + box.height * (0.5 + 0.4 * Math.sin(turn)),
  );
}
const frames = (await drawn(page)) - count;
await page.mouse.up();
await settled(page);
found["pictures in 2 s of dragging"] = frames;
check("a drag is followed", frames >= 30, frames);
const after = await pixelsOf(page, "large");
check(
  "a drag changes the canvas",
  before.some((x, i) => x !== after[i]),
);
check("the link says where", /x=0\.\d+&y=0\.\d+/.test(page.url()));

// === 4. Everything else by the keyboard ===

await page.focus("#map");
await page.keyboard.press("Home");
await settled(page);
const corner = await pixelsOf(page, "large");
await page.keyboard.press("Shift+ArrowRight");
await page.keyboard.press("ArrowDown");
await settled(page);
const moved = await pixelsOf(page, "large");
check(
  "arrow keys move the marker",
  corner.some((x, i) => x !== moved[i]),
);
await page.fill("#seed", "abc");
check("what is no seed is said", (await page.getAttribute("#seed", "aria-invalid")) === "true");
await page.fill("#seed", "12345");
await settled(page);
const wall = await page.locator("#wall");
await wall.focus();
for (const key of ["ArrowRight", "ArrowDown", "Enter"]) await page.keyboard.press(key);
await settled(page);
check("the wall gives its seed", (await page.inputValue("#seed")) === "12346");
check("and its class", page.url().includes("class=1"));
await page.locator("#classes input:checked").focus();
await page.keyboard.press("ArrowRight");
await settled(page);
check("arrows choose the class", page.url().includes("class=2"));
const walk = await pixelsOf(page, "walk-canvas");
await page.locator("#walk-at").focus();
await page.keyboard.press("End");
await settled(page);
const walked = await pixelsOf(page, "walk-canvas");
check(
  "the walk walks",
  walk.some((x, i) => x !== walked[i]),
);
await page.click("#walk-play");
await page.waitForTimeout(600);
await page.click("#walk-play");
check("the walk plays", (await page.inputValue("#walk-at")) !== "1");
const sums = () =>
  page.evaluate(() => {
    const canvas = [...document.querySelectorAll("#sum canvas")].pop();
    return canvas.toDataURL();
  });
const sum = await sums();
await page.locator("#sum input").first().fill("99");
await settled(page);
check("the sum is another one of other seeds", sum !== (await sums()));
await page.locator("#compare").scrollIntoViewIfNeeded();
await page.waitForTimeout(4000);
const rows = await page.evaluate(() =>
  [...document.querySelectorAll("#compare canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(data).size;
  }),
);
check("every generator draws", rows.length > 1 && rows.every((levels) => levels > 8), rows);
await page.evaluate(() => scrollTo(0, 0));
await page.screenshot({ path: path.join(work, "explore_1280.png") });
await page.screenshot({ path: path.join(work, "explore_1280_whole.png"), fullPage: true });

// === 5. The toy game: the library's steps, its speed, collapse and cure ===

await page.focus("#tab-explore");
await page.keyboard.press("ArrowRight");
check("the keyboard opens the second tab", await page.isVisible("#train"));
const cases = JSON.parse(fs.readFileSync(path.join(work, "toy.json")));
for (const one of cases) {
  const worst = await page.evaluate(async (c) => {
    const { Game, engine } = globalThis.ganZoo;
    const tf = await engine();
    const rows = c.draws[0].shares.length;
    const plane = (values) => tf.tensor(values, [rows, 2]);
    const game = new Game(tf, { rates: c.rates, weights: c.first });
    let off = 0;
    c.draws.forEach((drawn, k) => {
      const draws = {
        real: plane(drawn.real),
        latents: drawn.latents.map(plane),
        noise: drawn.noise.map((pair) => pair.map(plane)),
        shares: tf.tensor(drawn.shares, [rows, 1]),
      };
      game.step(draws, { objective: c.objective, rule: c.rule, noise: c.noise });
      tf.dispose(draws);
      for (const player of ["generator", "discriminator"]) {
        game[player].forEach((weight, i) =>
          weight.dataSync().forEach((x, j) => {
            off = Math.max(off, Math.abs(x - c.after[k][player][i][j]));
          }),
        );
      }
    });
    game.dispose();
    return off;
  }, one);
  found[`toy, ${one.name}: largest difference`] = worst.toExponential(1);
  check(`toy, ${one.name}: the library's steps to 1e-5`, worst < 1e-5, worst.toExponential(1));
}

const tensors = () => page.evaluate(() => globalThis.tf.memory().numTensors);
const meter = async (name) =>
  parseFloat((await page.textContent(`#meter-${name}`)).replace(",", ""));
// What stands there after these seconds, or as soon as it is `enough`.
async function played(button, seconds, enough = () => false) {
  await page.click(button);
  const began = Date.now();
  for (;;) {
    await page.waitForTimeout(500);
    const seen = { seconds: Math.round((Date.now() - began) / 1000) };
    for (const name of ["steps", "modes", "good", "speed"]) seen[name] = await meter(name);
    if (seen.seconds >= seconds || enough(seen)) return seen;
  }
}
const plain = await played("#collapse", 25);
await page.screenshot({ path: path.join(work, "collapse_1280.png") });
const holding = await tensors();
const cured = await played("#cure", 90, ({ modes, good }) => modes === 8 && good >= 70);
check("no tensor leaks", (await tensors()) <= holding + 8, `${holding}, ${await tensors()}`);
await page.screenshot({ path: path.join(work, "cure_1280.png") });
found["toy, plain, after 25 s"] = JSON.stringify(plain);
found["toy, R1, until it is cured, or for 90 s"] = JSON.stringify(cured);
check("plain collapses", plain.modes <= 4, JSON.stringify(plain));
check(
  "a second click on a scene does not make it faster",
  await page.evaluate(async () => {
    const asked = { count: 0 };
    const own = globalThis.requestAnimationFrame;
    globalThis.requestAnimationFrame = (work) => own((now) => (asked.count++, work(now)));
    document.getElementById("cure").click();
    document.getElementById("again").click();
    let frames = 0;
    await new Promise((done) => {
      const turn = () => (++frames < 20 ? own(turn) : done());
      own(turn);
    });
    globalThis.requestAnimationFrame = own;
    return asked.count <= frames + 1;
  }),
);
check("R1 cures", cured.modes >= 7 && cured.good > 50, JSON.stringify(cured));
for (const rule of ["unrolled", "consensus", "noise"]) {
  await chosen(page, "rules", rule);
  await page.waitForTimeout(4500);
  found[`toy, ${rule}: steps a second`] = await meter("speed");
  check(`toy, ${rule} runs`, (await meter("speed")) > 0);
}
await chosen(page, "objectives", "wasserstein");
await chosen(page, "toys", "grid");
await page.waitForTimeout(2500);
check("toy, the grid", (await page.textContent("#meter-modes")).endsWith("of 25"));
await page.click("#run");
const still = await meter("steps");
await page.click("#once");
check("one step is one step", (await meter("steps")) === still + 1);
await page.evaluate(() => (location.hash = "model=conditional_dcgan_mnist&seed=8&x=0.5&y=0.25"));
await settled(page);
check("the tab of a pasted link is opened", await page.isVisible("#explore"));
const note = () => page.textContent("#seed-note");
check("a place between seeds is no seed's", (await note()).includes("one between seeds"));
await page.focus("#map");
await page.keyboard.press("Home");
await settled(page);
check("a corner is its seed's", /^The same pixels.*seed=\[8\]/.test(await note()), await note());
check("nothing failed", (await page.locator(".failed").count()) === 0);
check("no console line in all of this", said.length === 0, said.join(" | "));
const outside = asked.filter((one) => !one.startsWith("blob:") && !one.startsWith(served));
check("no request left the host in all of this", outside.length === 0, outside.join(" "));
await page.close();

// The picture of README.md: docs/images/page.png is made of these two.
const both = ["explore_1280", "cure_1280"].map((name) => {
  const bytes = fs.readFileSync(path.join(work, `${name}.png`)).toString("base64");
  return `<img src="data:image/png;base64,${bytes}">`;
});
const beside = await browser.newPage({ viewport: { width: 1180, height: 392 } });
const style = "body{margin:0;display:flex;gap:20px;background:#fff}img{width:580px}";
await beside.setContent(`<style>${style}</style>${both.join("")}`);
await beside.screenshot({ path: path.join(work, "page.png") });

// === 6. A screen of 360 pixels, and a dark one ===

const small = await open(served, 360, "dark");
const overflow = () => small.page.evaluate(() => document.documentElement.scrollWidth);
check("360 pixels: nothing is cut off", (await overflow()) <= 360, await overflow());
await small.page.locator("#map").scrollIntoViewIfNeeded();
const place = await small.page.locator("#map").boundingBox();
const seen = await pixelsOf(small.page, "large");
await small.page.touchscreen.tap(place.x + place.width * 0.8, place.y + place.height * 0.7);
await settled(small.page);
const tapped = await pixelsOf(small.page, "large");
check(
  "360 pixels: a tap moves the marker",
  seen.some((x, i) => x !== tapped[i]),
);
await small.page.screenshot({ path: path.join(work, "explore_360.png"), fullPage: true });
await small.page.click("#tab-train");
await small.page.click("#collapse");
await small.page.waitForTimeout(4000);
check("360 pixels: nothing is cut off in the second tab", (await overflow()) <= 360);
check("360 pixels: the game runs", /[1-9]/.test(await small.page.textContent("#meter-steps")));
await small.page.screenshot({ path: path.join(work, "train_360.png"), fullPage: true });
check("360 pixels: no console line", small.said.length === 0, small.said.join(" | "));

await browser.close();
server.close();
const size = (file) => fs.statSync(file).size;
const assets = fs.readdirSync(path.join(work, "folder", "assets"));
found["bytes, folder"] =
  size(path.join(work, "folder", "index.html")) +
  assets.reduce((sum, name) => sum + size(path.join(work, "folder", "assets", name)), 0);
found["bytes, single"] = size(path.join(work, "single", "index.html"));
console.log(JSON.stringify(found, null, 1));
console.log(wrong.length ? `WRONG: ${wrong.length}: ${wrong.join("; ")}` : "all is well");
process.exit(wrong.length ? 1 : 0);
