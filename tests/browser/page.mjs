// A page as people see it: axe-core's rules, and the contrast of what axe does not measure, in each kind of light and on paper.
//
// node page.mjs MODULES PAGE FOLDER [MEDIUM …]: MODULES is where axe-core is installed, FOLDER an empty one for one PNG each and
// the browser's profile, which stays: helpers of a browser that has ended may still write, so nothing is removed here. Prints one JSON object: for each medium what was checked, and what is wrong. The page stays as it is; it is driven over a pipe, so
// that nothing listens and its own policy needs no exception.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, page, folder, ...chosen] = process.argv.slice(2);
const axe = readFileSync(join(modules, "axe-core", "axe.min.js"), "utf8");
const MEDIA = [
  { name: "light", media: "screen", scheme: "light", width: 1280 },
  { name: "dark", media: "screen", scheme: "dark", width: 1280 },
  { name: "narrow-light", media: "screen", scheme: "light", width: 400 },
  { name: "narrow-dark", media: "screen", scheme: "dark", width: 400 },
  // A4 without margins, at 96 dots an inch; paper is white whatever the screen is.
  { name: "print", media: "print", scheme: "light", width: 695 },
  { name: "print-dark", media: "print", scheme: "dark", width: 695 },
];

/** Chromium over a pipe: one JSON text a message, ended by a zero byte. */
class Browser {
  #next = 1;
  #open = new Map();

  constructor(profile) {
    this.child = spawn(
      "chromium",
      ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-background-networking",
        "--disable-component-update", "--hide-scrollbars", `--user-data-dir=${profile}`, "--remote-debugging-pipe", "about:blank"],
      // A group of its own, so that its helpers end with it.
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true },
    );
    this.gone = new Promise((_, reject) => {
      this.child.on("error", reject);
      this.child.on("exit", (code) => reject(new Error(`Chromium ended with ${code}`)));
    });
    this.gone.catch(() => {});
    let rest = [];
    this.child.stdio[4].on("data", (bytes) => {
      for (;;) {
        const end = bytes.indexOf(0);
        if (end < 0) break;
        this.#take(Buffer.concat([...rest, bytes.subarray(0, end)]).toString());
        rest = [];
        bytes = bytes.subarray(end + 1);
      }
      rest.push(bytes);
    });
  }

  #take(text) {
    const message = JSON.parse(text);
    const open = this.#open.get(message.id ?? message.method);
    if (!open) return;
    this.#open.delete(message.id ?? message.method);
    if (message.error) open.reject(new Error(JSON.stringify(message.error)));
    else open.resolve(message.result ?? message.params);
  }

  /** The next event of this name. */
  event(name) {
    return Promise.race([this.gone, new Promise((resolve, reject) => this.#open.set(name, { resolve, reject }))]);
  }

  call(method, params = {}) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#open.set(id, { resolve, reject }));
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    return Promise.race([this.gone, answer]);
  }

  /** What an expression of the page gives. */
  async value(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
}

/**
 * In the page: contrast of every text, in SVG too, and of what charts draw. axe leaves texts of one letter, on stripes and beyond
 * a table's edge undecided; here grounds are taken from the ancestors alone, which is right as long as nothing lies over text.
 */
function measure() {
  const parse = (text) => {
    const parts = text.match(/^rgba?\(([^)]*)\)$/)?.[1].split(/[\s,/]+/).filter(Boolean).map(Number);
    if (!parts) throw new Error(`not a colour: ${text}`);
    return [...parts.slice(0, 3), parts[3] ?? 1];
  };
  const over = (top, below) => top.slice(0, 3).map((part, place) => part * top[3] + below[place] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [red, green, blue] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  // The colours behind an element, from the canvas up; stripes give one for each of their colours.
  const behind = (element) => {
    const line = [];
    for (let at = element; at; at = at.parentElement) line.unshift(at);
    let colours = [[255, 255, 255, 1]];
    for (const at of line) {
      const style = getComputedStyle(at);
      const flat = parse(style.backgroundColor);
      colours = colours.map((below) => over(flat, below));
      const stripes = style.backgroundImage.match(/rgba?\([^)]*\)/g);
      // A bar below a number (`.share`) is no ground of it: it fills three pixels at the bottom.
      if (stripes && at.matches(".partial")) colours = colours.flatMap((below) => stripes.map((stripe) => over(parse(stripe), below)));
    }
    return colours;
  };
  const found = { svg_texts: 0, texts: 0, shapes: 0, least: { text: 21, shape: 21 }, wrong: [] };
  const judge = (kind, element, colour, wanted) => {
    const least = Math.min(...behind(element).map((below) => ratio(over(colour, below), below)));
    found.least[kind] = Math.min(found.least[kind], Math.round(least * 100) / 100);
    if (least < wanted) {
      found.wrong.push({ what: element.outerHTML.slice(0, 120), contrast: least.toFixed(2), wanted });
    }
  };
  const shown = (element) => element.getClientRects().length > 0;
  const enough = (style) => {
    const size = parseFloat(style.fontSize);
    return size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  };
  const opaque = (element) => {
    let alpha = 1;
    for (let at = element; at; at = at.parentElement) alpha *= Number(getComputedStyle(at).opacity);
    return alpha;
  };
  for (const text of document.querySelectorAll("svg text, svg tspan")) {
    if (!shown(text)) continue;
    const style = getComputedStyle(text);
    const [red, green, blue, alpha] = parse(style.fill);
    found.svg_texts += 1;
    judge("text", text, [red, green, blue, alpha * Number(style.fillOpacity) * opaque(text)], enough(style));
  }
  for (const element of document.body.querySelectorAll(":not(svg, svg *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    // Clipped away: for the ears alone.
    if (!own || !shown(element) || element.closest(".sr, .skip")) continue;
    const style = getComputedStyle(element);
    const [red, green, blue, alpha] = parse(style.color);
    found.texts += 1;
    judge("text", element, [red, green, blue, alpha * opaque(element)], enough(style));
  }
  // What charts draw needs 3 to 1 (WCAG 1.4.11).
  for (const shape of document.querySelectorAll("svg path, svg rect, svg line, svg circle")) {
    if (!shown(shape)) continue;
    const style = getComputedStyle(shape);
    const [red, green, blue, alpha] = parse(style.fill === "none" ? style.stroke : style.fill);
    found.shapes += 1;
    judge("shape", shape, [red, green, blue, alpha * Number(style.fillOpacity) * opaque(shape)], 3);
  }
  return found;
}

const browser = new Browser(join(folder, "profile"));
try {
  const { targetInfos } = await browser.call("Target.getTargets");
  const { targetId } = targetInfos.find((target) => target.type === "page");
  ({ sessionId: browser.session } = await browser.call("Target.attachToTarget", { targetId, flatten: true }));
  await browser.call("Page.enable");
  const report = {};
  for (const { name, media, scheme, width } of MEDIA.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await browser.call("Emulation.setEmulatedMedia", { media, features });
    await browser.call("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
    const loaded = browser.event("Page.loadEventFired");
    await browser.call("Page.navigate", { url: pathToFileURL(resolve(page)).href });
    await loaded;
    const scripts = await browser.value("document.scripts.length");
    if (scripts !== 0) throw new Error("the page has scripts");
    const paper = await browser.value("getComputedStyle(document.body).backgroundColor");
    await browser.value(`${axe};0`);
    const { violations, incomplete, passes, inapplicable } = await browser.value(
      "axe.run(document, { resultTypes: ['violations', 'incomplete', 'passes'] })",
    );
    const short = (rules) => rules.map(({ id, help, nodes }) => ({
      id, help, nodes: nodes.length, first: nodes.slice(0, 3).map(({ html, any, all, none }) => ({
        html: html.slice(0, 160), why: [...any, ...all, ...none].map(({ message }) => message).join("; "),
      })),
    }));
    const contrast = passes.find(({ id }) => id === "color-contrast");
    report[name] = {
      paper, rules: passes.length, inapplicable: inapplicable.length, contrast_nodes: contrast?.nodes.length ?? 0,
      violations: short(violations), incomplete: short(incomplete), measured: await browser.value(`(${measure})()`),
      overflow: await browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
    };
    const { data } = await browser.call("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(join(folder, `${name}.png`), Buffer.from(data, "base64"));
  }
  console.log(JSON.stringify(report));
} finally {
  try {
    process.kill(-browser.child.pid, "SIGKILL");
  } catch {
    // It has ended, or never began.
  }
  await browser.gone.catch(() => {});
}
process.exit(0);
